"""IMG: what other tools found, and how fresh that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from dockyard.audit.scans import Finding, Scan
    from dockyard.audit.verdict import Proof
    from dockyard.image import Image
    from dockyard.settings import Settings

SCANNERS = ("trivy", "grype")
GATED = ("critical", "high")


class VulnerabilityGate(Rule):
    """A fresh scan of this image has no fixable critical or high vulnerability that is older than allowed.

    A fix that exists and is not taken is the one that attackers read. A scan of another image, or one with an old
    database, says nothing. Errors of hadolint count too. A finding that has no date counts as an old one.

    Remedy: Rebuild with the fixed version, then scan again: `grype IMAGE -o json > grype.json`, or `trivy image
    --format json` and `trivy version --format json`, which alone dates Trivy's database; `invoke audit --import` takes
    them all.
    """

    id = "IMG-13"
    title = "Known-vulnerability gate"
    severity = Severity.HIGH
    references = ("CIS 4.4", "OWASP Docker 9", "NIST 800-190 4.1.1", "DORA art. 10")

    @part
    def subject(self, scans: tuple[Scan, ...], image: Image) -> Iterator[Proof]:
        """The scan is of this image."""
        names = {each for each in (image.digest, image.id) if each}
        for scan in _scanners(scans):
            if scan.digests & names:
                yield holds(f"{scan.tool} looked at this image", _place(scan))
            else:
                seen = ", ".join(sorted(scan.digests)) or "an image without a digest"
                yield broken(f"{scan.tool} looked at {seen}, not at this image", _place(scan))

    @part
    def freshness(self, scans: tuple[Scan, ...], settings: Settings, today: date) -> Iterator[Proof]:
        """Its database is fresh."""
        dated = [scan.database for scan in scans if scan.tool == "trivy-database"]
        found = _scanners(scans)
        if not found:
            yield unknown("No scan was imported: `--import` takes the JSON of Trivy and Grype.")
        for scan in found:
            database = scan.database or next((each for each in dated if each and scan.tool == "trivy"), None)
            if database is None:
                more = " Import `trivy version --format json` too." if scan.tool == "trivy" else ""
                yield unknown(f"The result of {scan.tool} does not date its database.{more}")
                continue
            # The database that is dated now may be newer than the one that was used then.
            days = (today - min(filter(None, (database, scan.created)))).days
            told = f"the database of {scan.tool} is {days} days old, {settings.audit.scan_days} are allowed"
            yield (holds if days <= settings.audit.scan_days else broken)(told, _place(scan))

    @part
    def fixable(self, scans: tuple[Scan, ...], settings: Settings, today: date) -> Iterator[Proof]:
        """Nothing that can be fixed is left for too long."""
        for scan in _scanners(scans):
            gated = [each for each in scan.findings if each.severity in GATED and each.fixed]
            late = [each for each in gated if _days(each, today) > settings.audit.fix_days]
            told = f"{scan.tool} found {len(scan.findings)}; {len(gated)} critical or high can be fixed, none is late"
            yield from [_vulnerable(each, scan, today) for each in late] or [holds(told, _place(scan))]

    @part
    def lint(self, scans: tuple[Scan, ...]) -> Iterator[Proof]:
        """Hadolint found no error."""
        for scan in scans:
            if scan.tool == "hadolint":
                errors = [each for each in scan.findings if each.severity == "error"]
                told = holds(f"hadolint found {len(scan.findings)}, no error", _place(scan))
                yield from [broken(f"hadolint {each.id}: {each.title}", _line(each)) for each in errors] or [told]


def _scanners(scans: tuple[Scan, ...]) -> list[Scan]:
    return [scan for scan in scans if scan.tool in SCANNERS]


def _place(scan: Scan) -> Place:
    return Place(subject=scan.subject or scan.tool, file=scan.path, line=1)


def _line(finding: Finding) -> Place:
    return Place(subject=finding.id, file=finding.file, line=finding.line)


def _days(finding: Finding, today: date) -> float:
    """How long it is known; without a date, for ever."""
    return (today - finding.known).days if finding.known else float("inf")


def _vulnerable(finding: Finding, scan: Scan, today: date) -> Proof:
    days = _days(finding, today)
    known = f"known for {days:.0f} days" if finding.known else "of unknown age"
    told = f"{finding.severity} {finding.id}, {known}: {finding.package} {finding.installed}, fixed in {finding.fixed}"
    return broken(told, Place(subject=f"{finding.package} {finding.id}", file=scan.path, line=1))
