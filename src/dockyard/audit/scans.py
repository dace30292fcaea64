"""Results of other tools, given with `--import`: recognised by their content, not by their names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from dockyard.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Tool = Literal["trivy", "trivy-database", "grype", "hadolint", "cosign"]
ISO_DAY = 10


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a tool found.

    Attributes:
        id: For instance CVE-2026-1234 or DL3008.
        severity: In small letters, as the tool has it: critical, high …; of hadolint error, warning, info, style.
        fixed: The version that mends it; empty where there is none.
        known: Since when it, or its fix, is known; None where the tool does not say.
        file: The file of the image that has the package, or the Dockerfile.
        line: Its line; 0 where none is meant.
    """

    id: str
    severity: str
    title: str
    package: str = ""
    installed: str = ""
    fixed: str = ""
    known: date | None = None
    file: str = ""
    line: int = 0


@dataclass(frozen=True, kw_only=True)
class Scan:
    """One tool's result.

    Attributes:
        path: Of the file, as it was given.
        tool: Who made it. `trivy-database` is the answer of `trivy version --format json`, which alone dates the
            database that Trivy used.
        created: The day it was made; None where the tool does not say.
        database: The day of its vulnerability database; None where the tool does not say.
        subject: What was looked at, as the tool names it.
        digests: Digests of what was looked at, of its manifest and of its configuration: `sha256:…`.
    """

    path: str
    tool: Tool
    subject: str = ""
    digests: frozenset[str] = frozenset()
    created: date | None = None
    database: date | None = None
    findings: tuple[Finding, ...] = ()


def read_scan(path: Path) -> Scan:
    """Return what a file holds.

    Raises:
        SettingsError: It cannot be read, is damaged, or is of a tool that is not known.
    """
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise _refused(path, f"It is no JSON that can be read: {error}.") from error
    read = _reader(document)
    if read is None:
        raise _refused(path, "It is the JSON of no tool that is known.")
    try:
        return read(str(path), document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _refused(path, f"It looks like a result, but is damaged: {type(error).__name__}: {error}.") from error


def _refused(path: Path, why: str) -> SettingsError:
    return SettingsError(
        f"{path} cannot be imported.",
        why,
        "Give the JSON of `trivy image --format json`, `trivy version --format json`, `grype -o json`, "
        "`hadolint --format json` or `cosign verify`.",
    )


def _reader(document: Any) -> Callable[[str, Any], Scan] | None:
    """Recognise a tool by what only its documents have."""
    if isinstance(document, dict):
        if "matches" in document and "descriptor" in document:
            return _grype
        if "VulnerabilityDB" in document:
            return _trivy_database
        return _trivy if {"SchemaVersion", "ArtifactName"} <= document.keys() else None
    if not isinstance(document, list) or not all(isinstance(each, dict) for each in document):
        return None
    if document and all(_lower(each).get("critical") for each in document):
        return _cosign
    # Hadolint writes an empty list when it found nothing; `cosign verify` then fails and writes none.
    return _hadolint if all({"code", "level", "line"} <= each.keys() for each in document) else None


def _trivy(path: str, document: Any) -> Scan:
    about = document.get("Metadata") or {}
    named = [about.get("ImageID") or "", *(about.get("RepoDigests") or ())]
    return Scan(
        path=path,
        tool="trivy",
        subject=str(document["ArtifactName"]),
        digests=_digests(named),
        created=_day(document.get("CreatedAt")),
        findings=tuple(_trivy_findings(document.get("Results") or ())),
    )


def _trivy_findings(results: Any) -> Iterator[Finding]:
    for result in results:
        for each in result.get("Vulnerabilities") or ():
            yield Finding(
                id=str(each["VulnerabilityID"]),
                severity=str(each.get("Severity") or "unknown").lower(),
                title=str(each.get("Title") or ""),
                package=str(each["PkgName"]),
                installed=str(each.get("InstalledVersion") or ""),
                fixed=str(each.get("FixedVersion") or ""),
                known=_day(each.get("PublishedDate")),
                file=str(each.get("PkgPath") or ""),
            )


def _trivy_database(path: str, document: Any) -> Scan:
    updated = _day(document["VulnerabilityDB"]["UpdatedAt"])
    return Scan(path=path, tool="trivy-database", database=updated)


def _grype(path: str, document: Any) -> Scan:
    source, descriptor = document.get("source") or {}, document["descriptor"]
    target = source.get("target") or {}
    target = target if isinstance(target, dict) else {"userInput": target}
    database = descriptor.get("db") or {}
    named = [target.get("imageID") or "", target.get("manifestDigest") or "", *(target.get("repoDigests") or ())]
    return Scan(
        path=path,
        tool="grype",
        subject=str(target.get("userInput") or ""),
        digests=_digests(named),
        created=_day(descriptor.get("timestamp")),
        database=_day((database.get("status") or database).get("built")),
        findings=tuple(map(_grype_finding, document["matches"])),
    )


def _grype_finding(match: Any) -> Finding:
    about, artifact = match["vulnerability"], match["artifact"]
    fix = about.get("fix") or {}
    dates = [day for each in fix.get("available") or () if (day := _day(each.get("date")))]
    return Finding(
        id=str(about["id"]),
        severity=str(about.get("severity") or "unknown").lower(),
        title=str(about.get("description") or ""),
        package=str(artifact["name"]),
        installed=str(artifact.get("version") or ""),
        fixed=", ".join(fix.get("versions") or ()) if fix.get("state") == "fixed" else "",
        known=min(dates, default=None),
        file=next((str(each["path"]) for each in artifact.get("locations") or ()), ""),
    )


def _hadolint(path: str, document: Any) -> Scan:
    findings = tuple(
        Finding(
            id=str(each["code"]),
            severity=str(each["level"]).lower(),
            title=str(each.get("message") or ""),
            file=str(each.get("file") or ""),
            line=int(each["line"]),
        )
        for each in document
    )
    return Scan(path=path, tool="hadolint", subject=findings[0].file if findings else "", findings=findings)


def _cosign(path: str, document: Any) -> Scan:
    """Read the payloads of the signatures that were verified; old versions write their keys with capitals."""
    signed = [_lower(_lower(each)["critical"]) for each in document]
    return Scan(
        path=path,
        tool="cosign",
        subject=str(_lower(signed[0]["identity"])["docker-reference"]),
        digests=frozenset(str(_lower(each["image"])["docker-manifest-digest"]) for each in signed),
    )


def _lower(table: dict[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in table.items()}


def _digests(named: list[Any]) -> frozenset[str]:
    """Take the digest out of each `name@sha256:…`."""
    return frozenset(digest for each in named if (digest := str(each).rpartition("@")[2]).startswith("sha256:"))


def _day(text: Any) -> date | None:
    """Return the day of a moment in ISO form; the year 1 is how Go writes that it knows none."""
    day = date.fromisoformat(str(text)[:ISO_DAY]) if text else None
    return day if day and day.year > 1 else None
