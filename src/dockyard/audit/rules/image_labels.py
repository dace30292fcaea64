"""IMG-11 and IMG-12: what the image says of itself, and how long its parts are supported."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from dockyard.audit.facts.configured import key, table
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown
from dockyard.plan.labels import OCI
from dockyard.support import DEBIAN_NAMES, PYTHON, SYSTEMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from dockyard.audit.read import BaseFacts
    from dockyard.audit.verdict import Proof
    from dockyard.image import Image
    from dockyard.revision import Revision
    from dockyard.settings import Settings
    from dockyard.support import Support

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
RELEASE_FILES = ("/etc/os-release", "/usr/lib/os-release")
RELEASE_LINE = re.compile(r"(?m)^(?P<key>[A-Z_]+)=[\"']?(?P<value>[^\"'\n]*)[\"']?\s*$")
INTERPRETER = re.compile(r"/(?:.+/)?bin/python(?P<version>\d\.\d+)")


def _moment(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None and "T" in value.upper()
    except ValueError:
        return False


def _license(value: str) -> bool:
    try:
        return bool(canonicalize_license_expression(value))
    except InvalidLicenseExpression:
        return False


FORMS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "title": ("a name", bool),
    "version": ("a version", bool),
    "revision": ("40 hex digits of a commit", lambda value: bool(re.fullmatch(r"[0-9a-f]{40}", value))),
    "source": ("an address", lambda value: bool(re.fullmatch(r"[a-z][a-z0-9+.-]*://\S+|[\w.-]+@[\w.-]+:\S+", value))),
    "created": ("a time of RFC 3339", _moment),
    "licenses": ("an SPDX expression", _license),
    "base.name": ("the name of the base image", bool),
    "base.digest": ("sha256: and 64 hex digits", lambda value: bool(DIGEST.fullmatch(value))),
}


class Labels(Rule):
    """The image's OCI labels are complete, in their form, and true.

    Months later they are all that says which sources an image was made of, from which base, and who may use it. A
    revision that ends with `-dirty` names sources that are in no commit.

    Remedy: `invoke build` sets them from git, pyproject.toml and the base; add what it cannot know to `labels` of
    [tool.dockyard.build], for instance `"org.opencontainers.image.licenses" = "Apache-2.0"`; commit before a release.
    """

    id = "IMG-11"
    title = "OCI labels complete and true"
    severity = Severity.LOW
    references = ("OCI image-spec annotations", "hadolint DL3049", "hadolint DL3056")

    @part
    def forms(self, image: Image) -> Iterator[Proof]:
        """Each is there and has its form."""
        yield from (_form(image, name) for name in FORMS if name != "source")

    @part
    def source(self, image: Image, revision: Revision) -> Iterator[Proof]:
        """The sources' address is there, unless git knows none either."""
        if revision.url or f"{OCI}.source" in table(image, "Labels"):
            yield _form(image, "source")
        else:
            yield unknown("git has no remote that could be named as the source", key(f"Labels.{OCI}.source"))

    @part
    def revision(self, image: Image, revision: Revision) -> Iterator[Proof]:
        """The revision is the one of the sources here."""
        value, place = table(image, "Labels").get(f"{OCI}.revision"), key(f"Labels.{OCI}.revision")
        if not revision.commit:
            yield unknown("git knows no commit of the sources", place)
        elif value == revision.commit:
            yield holds(f"git says the same: {revision.commit}", place)
        else:
            yield broken(f"{OCI}.revision is `{value}`; git says {revision.commit}", place)

    @part
    def base(self, image: Image, base: BaseFacts) -> Iterator[Proof]:
        """The digest is the base's, and its layers are below the image's own."""
        value, place = table(image, "Labels").get(f"{OCI}.base.digest"), key(f"Labels.{OCI}.base.digest")
        told = f"{OCI}.base.digest is `{value}`"
        good = value == base.digest
        yield (
            holds(f"{told}, that of {base.reference}", place)
            if good
            else broken(f"{told}; {base.digest} is wanted", place)
        )
        below = tuple((image.config.get("rootfs") or {}).get("diff_ids") or ())[: len(base.diff_ids)]
        place = Place(subject="rootfs.diff_ids")
        if below == base.diff_ids:
            yield holds(f"The image's first {len(below)} layers are those of {base.reference}", place)
        else:
            yield broken(
                f"The image does not begin with the layers of {base.reference}: base.digest is not its base", place
            )


def _form(image: Image, name: str) -> Proof:
    wanted, fits = FORMS[name]
    value, place = str(table(image, "Labels").get(f"{OCI}.{name}") or ""), key(f"Labels.{OCI}.{name}")
    told = f"{OCI}.{name} is `{value[:100]}`" if value else f"{OCI}.{name} is missing"
    return holds(told, place) if value and fits(value) else broken(f"{told}; {wanted} is wanted", place)


class Supported(Rule):
    """The image's operating system and its Python still get security fixes on the day of the audit.

    A pinned base stays the same, and grows old: after the end of support no scanner's finding can be fixed by a
    rebuild. Debian's regular support ends after three years, the LTS team's after five; `support` of
    [tool.dockyard.audit] says which one counts. The dates are a table in this release of dockyard.

    Remedy: move the base to a newer release, for instance `python:3.13-slim-trixie`, and build again.
    """

    id = "IMG-12"
    title = "System and Python inside their support window"
    severity = Severity.HIGH
    references = ("CIS 4.4", "OWASP API 8")

    @part
    def system(self, image: Image, settings: Settings, today: date) -> Iterator[Proof]:
        """What os-release says."""
        content = next((kept for path in RELEASE_FILES if (kept := image.read(path)) is not None), None)
        place = Place(subject=RELEASE_FILES[0])
        if content is None:
            yield unknown("The image has no os-release that could be read", place)
            return
        found = {each["key"]: each["value"] for each in RELEASE_LINE.finditer(content.decode("utf-8", "replace"))}
        name, version = found.get("ID", ""), found.get("VERSION_ID", "")
        version = version or DEBIAN_NAMES.get(found.get("VERSION_CODENAME", ""), "")
        release = ".".join(version.split(".")[:2]) if name == "alpine" else version
        yield _judged(f"{name} {version}", SYSTEMS.get(name, {}).get(release), settings.audit.support, today, place)

    @part
    def python(self, image: Image, today: date) -> Iterator[Proof]:
        """Every interpreter in a bin folder."""
        found: dict[str, Place] = {}
        for path, entry in image.files.items():
            match = INTERPRETER.fullmatch(path)
            if match and entry.is_file:
                found.setdefault(match["version"], Place(subject=path, layer=entry.layer))
        for version, place in sorted(found.items()):
            yield _judged(f"Python {version}", PYTHON.get(version), "regular", today, place)
        if not found:
            yield holds("The image has no Python")


def _judged(what: str, support: Support | None, window: str, today: date, place: Place) -> Proof:
    if support is None:
        return unknown(f"No end of support is known for {what.strip() or 'the system'}", place)
    end = support.lts if window == "lts" and support.lts else support.regular
    told = f"{what} is supported until {end} ({window if support.lts else 'regular'})"
    return holds(told, place) if today <= end else broken(f"{what} was supported until {end}; it is {today}", place)
