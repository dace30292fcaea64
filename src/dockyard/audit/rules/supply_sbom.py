"""SUP: the list of what is in the image."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from packaging.utils import canonicalize_name

from dockyard.audit.facts.locks import same_version
from dockyard.audit.facts.python_environment import installed
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.read import TextFile
    from dockyard.audit.verdict import Proof
    from dockyard.image import Image

DPKG, DPKG_PARTS = "/var/lib/dpkg/status", "/var/lib/dpkg/status.d/"
PURL = re.compile(r"pkg:(pypi|deb)/(?:[^/@?#]+/)*([^/@?#]+)@([^?#]+)(?:\?(?:[^#]*&)?epoch=(\d+))?")
CYCLONEDX = ("1.2", "1.3", "1.4", "1.5", "1.6", "1.7")
SPDX = re.compile(r"SPDX-2\.[23]")
SHOWN = 20


@dataclass(frozen=True, order=True)
class Part:
    """Something installed: `pypi` or `deb`, its name and version."""

    kind: str
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({'Python' if self.kind == 'pypi' else 'Debian'})"


class Inventory(Rule):
    """There is an SBOM of the image; it has its format's required fields, and lists what the image holds, no more.

    Whoever asks "are we affected?" asks the SBOM: a package that it leaves out is a no that is wrong, and one of
    another image is no answer at all. The required fields of CycloneDX and of SPDX 2 are looked at, not their whole
    schemas.

    Remedy: Make it from the image that is shipped (`syft IMAGE -o cyclonedx-json`), after the last change, and name the
    file in `sbom` of [tool.dockyard.audit].
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
        whole = Place(subject=sbom.path, file=sbom.path, line=1)
        told = f"{sbom.path} is {'CycloneDX' if 'bomFormat' in document else 'SPDX'} with all required fields"
        yield from [broken(f"{sbom.path}: {fault}", whole) for fault in faults] or [holds(told, whole)]

    @part
    def subject(self, sbom: TextFile, image: Image) -> Iterator[Proof]:
        """It says that it is of this image."""
        told = json.dumps(_subject(_document(sbom)))
        names = [each for each in (image.digest, image.id) if each]
        found = next((each for each in names if each.removeprefix("sha256:") in told), "")
        place = Place(subject="metadata.component", file=sbom.path, line=1)
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
        place = Place(subject=sbom.path, file=sbom.path, line=1)
        missing = [each for each in sorted(there) if not _among(each, listed)]
        extra = [each for each in sorted(listed) if not _among(each, set(there))]
        faults = [broken(f"{each} is in the image and not in the SBOM", there[each]) for each in missing[:SHOWN]]
        faults += [broken(f"{each} is in the SBOM and not in the image", place) for each in extra[:SHOWN]]
        told = f"{len(there)} distributions and packages are listed, none besides"
        yield from faults or [holds(told, place)]


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


def _listed(document: dict[str, Any]) -> Iterator[Part]:
    """Yield the Python distributions and Debian packages of a document, by their package URLs."""
    waiting = _tables(document.get("components"))
    while waiting:
        each = waiting.pop()
        waiting += _tables(each.get("components"))
        yield from _parts(str(each.get("purl")))
    for package in _tables(document.get("packages")):
        for reference in _tables(package.get("externalRefs")):
            yield from _parts(str(reference.get("referenceLocator")))


def _parts(purl: str) -> Iterator[Part]:
    found = PURL.match(purl)
    if found:
        kind, name, version = found[1], unquote(found[2]), unquote(found[3])
        version = f"{found[4]}:{version}" if found[4] else version
        yield Part(kind, str(canonicalize_name(name)) if kind == "pypi" else name, version)


def _there(image: Image) -> Iterator[tuple[Part, Place]]:
    """Yield what is installed, and where that is written."""
    for each in installed(image):
        yield Part("pypi", each.name, each.version), Place(subject=each.info)
    for path in image.files:
        if path != DPKG and not path.startswith(DPKG_PARTS):
            continue
        for paragraph in re.split(r"\n\s*\n", (image.read(path) or b"").decode("utf-8", "replace")):
            fields = dict(re.findall(r"(?m)^([A-Z][\w-]*): (.*)$", paragraph))
            if "Package" in fields and fields.get("Status", " installed").endswith(" installed"):
                yield Part("deb", fields["Package"], fields.get("Version", "")), Place(subject=path)


def _among(one: Part, others: set[Part]) -> bool:
    """Whether it is one of these, its version spelled in whatever way."""
    if one in others:
        return True
    return any(
        each.kind == one.kind and each.name == one.name and same_version(each.version, one.version) for each in others
    )
