"""A bill -> a CycloneDX 1.6 document: the same bill gives the same bytes."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from dockyard.sbom.bill import clean
from dockyard.sbom.purls import purl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component as Element
    from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression

    from dockyard.sbom.bill import Bill, Component, Kind, Licence

PREFIX = "dockyard:"
# Of a version, by the schema.
LONGEST = 1024
TYPES: dict[Kind, str] = {
    "base": "container",
    "system": "operating-system",
    "deb": "library",
    "apk": "library",
    "python": "platform",
    "pypi": "library",
    "model": "machine-learning-model",
}


def written(bill: Bill) -> str:
    """Return the document's text; letters that move a cursor or hide are numbers, as JSON has them."""
    told = clean(json.dumps(document(bill), indent=2, ensure_ascii=False)) + "\n"
    return "".join(each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in told)


def document(bill: Bill) -> dict[str, Any]:
    """Return the document."""
    from cyclonedx.output import make_outputter  # noqa: PLC0415 - only for those who list
    from cyclonedx.schema import OutputFormat, SchemaVersion  # noqa: PLC0415

    told: dict[str, Any] = json.loads(
        make_outputter(_bom(bill), OutputFormat.JSON, SchemaVersion.V1_6).output_as_string()
    )
    if not _moment(bill.created):
        told["metadata"].pop("timestamp", None)
    # The library has no model cards yet.
    cards = {each.ref: each.card for each in bill.components if each.card}
    for element in told.get("components", ()):
        if element.get("bom-ref") in cards:
            element["modelCard"] = cards[element["bom-ref"]]
    return told


def _bom(bill: Bill) -> Bom:
    from cyclonedx.model.bom import Bom, BomMetaData  # noqa: PLC0415
    from cyclonedx.model.component import Component as Element  # noqa: PLC0415
    from cyclonedx.model.component import ComponentType  # noqa: PLC0415
    from cyclonedx.model.tool import ToolRepository  # noqa: PLC0415

    image = _image(bill)
    elements = {each.ref: _element(each) for each in bill.components}
    tool = Element(name="dockyard", version=version("dockyard"), type=ComponentType.APPLICATION, bom_ref="dockyard")
    bom = Bom(
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"{PREFIX}sbom:{bill.digest}"),
        metadata=BomMetaData(component=image, tools=ToolRepository(components=[tool]), timestamp=_moment(bill.created)),
        components=elements.values(),
    )
    bom.register_dependency(image, [elements[ref] for ref in bill.roots])
    for each in bill.components:
        bom.register_dependency(elements[each.ref], [elements[ref] for ref in each.needs])
    return bom


def _moment(created: str) -> datetime | None:
    """Return when the image was made; what is no moment, or has no zone, is of no use."""
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return None
    return moment.astimezone(UTC).replace(microsecond=0) if moment.tzinfo else None


def _image(bill: Bill) -> Element:
    """Return what the bill is of."""
    from cyclonedx.model import HashAlgorithm, HashType, Property  # noqa: PLC0415
    from cyclonedx.model.component import Component as Element  # noqa: PLC0415
    from cyclonedx.model.component import ComponentType  # noqa: PLC0415
    from packageurl import PackageURL  # noqa: PLC0415

    digest = bill.digest.removeprefix("sha256:")
    qualifiers = {"arch": bill.architecture}
    url = purl("oci", bill.name or digest, bill.digest, qualifiers=qualifiers) if bill.image else ""
    properties = {"digest": bill.digest, "architecture": bill.architecture}
    return Element(
        name=bill.name or digest,
        version=bill.version[:LONGEST] or None,
        type=ComponentType.CONTAINER if bill.image else ComponentType.FILE,
        bom_ref=f"{'image' if bill.image else 'wheels'}:{bill.digest}",
        purl=PackageURL.from_string(url) if url else None,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        licenses=_licences(bill.licences),
        properties=[Property(name=f"{PREFIX}{name}", value=value) for name, value in properties.items() if value],
    )


def _element(component: Component) -> Element:
    """Return a component as the library has it."""
    from cyclonedx.model import HashAlgorithm, HashType, Property  # noqa: PLC0415
    from cyclonedx.model.component import Component as Element  # noqa: PLC0415
    from cyclonedx.model.component import ComponentType  # noqa: PLC0415
    from cyclonedx.model.component_evidence import ComponentEvidence, Occurrence  # noqa: PLC0415
    from cyclonedx.model.contact import OrganizationalEntity  # noqa: PLC0415
    from packageurl import PackageURL  # noqa: PLC0415

    details = {"kind": component.kind, **component.details}
    return Element(
        name=component.name,
        version=component.version[:LONGEST] or None,
        type=ComponentType(TYPES[component.kind]),
        bom_ref=component.ref,
        purl=PackageURL.from_string(component.purl) if component.purl else None,
        cpe=details.pop("cpe", None),
        supplier=OrganizationalEntity(name=component.supplier) if component.supplier else None,
        description=component.description or None,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=component.sha256)] if component.sha256 else None,
        licenses=_licences(component.licences),
        properties=[Property(name=f"{PREFIX}{name}", value=value) for name, value in sorted(details.items())],
        evidence=ComponentEvidence(occurrences=[Occurrence(location=component.place)]) if component.place else None,
    )


def _licences(licences: tuple[Licence, ...]) -> list[LicenseExpression | DisjunctiveLicense]:
    """Return one expression where all is SPDX; else a list, which cannot hold an expression."""
    from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression  # noqa: PLC0415
    from cyclonedx.spdx import is_supported_id  # noqa: PLC0415

    if licences and all(each.spdx for each in licences):
        if len(licences) == 1 and is_supported_id(licences[0].text):
            return [DisjunctiveLicense(id=licences[0].text)]
        return [LicenseExpression(" AND ".join(_bracketed(licences)))]
    return [
        DisjunctiveLicense(id=each.text)
        if each.spdx and is_supported_id(each.text)
        else DisjunctiveLicense(name=each.text)
        for each in licences
    ]


def _bracketed(licences: tuple[Licence, ...]) -> Iterator[str]:
    """Yield each licence so that it can stand beside an AND."""
    for each in licences:
        yield f"({each.text})" if " OR " in each.text and len(licences) > 1 else each.text
