"""SUP: the list of what is in the image."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from dockyard.audit.facts.locks import same_version
from dockyard.audit.files import MADE
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown
from dockyard.sbom import Listed, installed, parts, unread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.read import TextFile
    from dockyard.audit.verdict import Proof
    from dockyard.image import Image

CYCLONEDX = ("1.2", "1.3", "1.4", "1.5", "1.6", "1.7")
SPDX = re.compile(r"SPDX-2\.[23]")
SHOWN = 20
KINDS = {"pypi": "Python", "deb": "Debian", "apk": "Alpine"}


class Inventory(Rule):
    """There is an SBOM of the image; it has its format's required fields, and lists what the image holds, no more.

    Whoever asks "are we affected?" asks the SBOM: a package that it leaves out is a no that is wrong, and one of
    another image is no answer at all. The required fields of CycloneDX and of SPDX 2 are looked at, not their whole
    schemas. Where `sbom` of [tool.dockyard.audit] names no file, the one that `invoke sbom` makes is judged.

    Remedy: Make it from the image that is shipped (`invoke sbom --write sbom.json`), after the last change, and name
    the file in `sbom` of [tool.dockyard.audit].
    """

    id = "SUP-03"
    title = "SBOM exists, is valid, is complete"
    severity = Severity.HIGH
    references = ("OWASP Docker 13", "PCI DSS 6.3.2", "DORA art. 10")

    @part
    def form(self, sbom: TextFile) -> Iterator[Proof]:
        """It has the fields that its format requires."""
        document = _document(sbom)
        faults = _faults(document)
        whole = _place(sbom, sbom.path)
        told = f"{sbom.path} is {'CycloneDX' if 'bomFormat' in document else 'SPDX'} with all required fields"
        yield from [broken(f"{sbom.path}: {fault}", whole) for fault in faults] or [holds(told, whole)]

    @part
    def subject(self, sbom: TextFile, image: Image) -> Iterator[Proof]:
        """It says that it is of this image."""
        told = json.dumps(_subject(_document(sbom)))
        names = [each for each in (image.digest, image.id) if each]
        found = next((each for each in names if each.removeprefix("sha256:") in told), "")
        place = _place(sbom, "metadata.component")
        yield (
            holds(f"it is of {found}", place)
            if found
            else broken(f"it does not name the image's digest {names}", place)
        )

    @part
    def complete(self, sbom: TextFile, image: Image) -> Iterator[Proof]:
        """It lists every distribution and package, and none that is not there."""
        document = _document(sbom)
        listed = set(_listed(document))
        there = dict(_there(image))
        place = _place(sbom, sbom.path)
        missing = [each for each in sorted(there) if not _among(each, listed)]
        names = {(each.kind, each.name) for each in missing}
        extra = [
            each for each in sorted(listed) if not _among(each, set(there)) and (each.kind, each.name) not in names
        ]
        faults = [broken(_missing(each, listed), there[each]) for each in missing[:SHOWN]]
        faults += [broken(f"{_told(each)} is in the SBOM and not in the image", place) for each in extra[:SHOWN]]
        told = f"{len(there)} distributions and packages are listed, none besides"
        yield from faults or [unknown(each) for each in unread(image)] or [holds(told, place)]


def _place(sbom: TextFile, subject: str) -> Place:
    """Return where a proof can be checked: in the file, if it is one."""
    return Place(subject=subject) if sbom.path == MADE else Place(subject=subject, file=sbom.path, line=1)


def _document(sbom: TextFile) -> dict[str, Any]:
    try:
        document = json.loads(sbom.text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _faults(document: dict[str, Any]) -> list[str]:
    """Return which required fields are missing or odd."""
    if document.get("bomFormat") == "CycloneDX":
        components = _tables(document.get("components"))
        nameless = [each for each in components if not {"type", "name"} <= each.keys()]
        return [
            *([] if document.get("specVersion") in CYCLONEDX else ["specVersion is no version of CycloneDX"]),
            *([] if components else ["components is empty"]),
            *[f"component {each.get('name', '?')} has no type or name" for each in nameless[:1]],
        ]
    if SPDX.fullmatch(str(document.get("spdxVersion"))):
        packages = _tables(document.get("packages"))
        needed = ("SPDXID", "name", "dataLicense", "documentNamespace", "creationInfo")
        odd = [each for each in packages if not {"SPDXID", "name", "downloadLocation"} <= each.keys()]
        return [
            *[f"{name} is missing" for name in needed if not document.get(name)],
            *([] if packages else ["packages is empty"]),
            *[f"package {each.get('name', '?')} lacks a required field" for each in odd[:1]],
        ]
    return ["it is neither CycloneDX nor SPDX 2 as JSON"]


def _tables(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _subject(document: dict[str, Any]) -> Any:
    """Return what a document says of its subject."""
    if document.get("bomFormat"):
        metadata = document.get("metadata")
        return metadata.get("component") if isinstance(metadata, dict) else None
    listed = document.get("documentDescribes")
    described = {str(each) for each in listed} if isinstance(listed, list) else set()
    for each in _tables(document.get("relationships")):
        if each.get("relationshipType") == "DESCRIBES":
            described.add(str(each.get("relatedSpdxElement")))
    return [each for each in _tables(document.get("packages")) if each.get("SPDXID") in described]


def _listed(document: dict[str, Any]) -> Iterator[Listed]:
    """Yield the distributions and packages of a document, by their package URLs."""
    waiting = _tables(document.get("components"))
    while waiting:
        each = waiting.pop()
        waiting += _tables(each.get("components"))
        yield from parts(str(each.get("purl")))
    for package in _tables(document.get("packages")):
        for reference in _tables(package.get("externalRefs")):
            yield from parts(str(reference.get("referenceLocator")))


def _there(image: Image) -> Iterator[tuple[Listed, Place]]:
    """Yield what is installed, and where that is written."""
    for each in installed(image):
        yield Listed.of(each), Place(subject=each.place)


def _told(each: Listed) -> str:
    return f"{each.name} {each.version} ({KINDS[each.kind]})"


def _missing(each: Listed, listed: set[Listed]) -> str:
    """Return what is wrong with something that is there: it is not listed, or as another version."""
    others = sorted(other.version for other in listed if (other.kind, other.name) == (each.kind, each.name))
    if others:
        return f"{_told(each)} is in the image, the SBOM has {', '.join(others)}"
    return f"{_told(each)} is in the image and not in the SBOM"


def _among(one: Listed, others: set[Listed]) -> bool:
    """Whether it is one of these, its version spelled in whatever way."""
    if one in others:
        return True
    return any(
        each.kind == one.kind and each.name == one.name and same_version(each.version, one.version) for each in others
    )
