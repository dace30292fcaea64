"""The models that the settings name, each with what its own file says of it."""

from __future__ import annotations

import json
import posixpath
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from dockyard.image.documents import items, mapping, text
from dockyard.sbom.bill import Component
from dockyard.sbom.onnx import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dockyard.image import Image

LISTS = (".sha256", ".md", ".json", ".txt")


def is_model(path: str, patterns: Sequence[str]) -> bool:
    """Whether a path of the image matches one of the patterns; one that begins with no slash matches any tail."""
    return any(fnmatchcase(path, each if each.startswith("/") else f"*/{each}") for each in patterns)


def models(image: Image, patterns: Sequence[str]) -> Iterator[Component]:
    """Yield each model, in the order of their paths."""
    for path, entry in sorted(image.files.items()):
        real = image.resolve(path)
        if entry.kind == "directory" or not is_model(path, patterns) or path.endswith(LISTS) or not real:
            continue
        told = metadata(image.read(path) or b"")
        contract = _contract(told.properties)
        yield Component(
            kind="model",
            name=text(contract.get("name")) or posixpath.basename(path),
            version=text(contract.get("version")),
            place=path,
            description=text(contract.get("description")) or told.description,
            sha256=real.sha256,
            details=dict(_details(told.producer, contract)),
            card=_card(path, contract),
        )


def _contract(properties: Mapping[str, str]) -> dict[str, Any]:
    """Return the properties of a model's file as one table: those that are JSON are unfolded."""
    found: dict[str, Any] = {}
    for key, value in properties.items():
        try:
            unfolded = json.loads(value)
        except (ValueError, RecursionError):
            unfolded = value
        found |= unfolded if isinstance(unfolded, dict) else {key: value}
    return found


def _details(producer: str, contract: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what made it."""
    if producer:
        yield "producer", producer
    for key in ("currency", "trained_at"):
        if text(contract.get(key)):
            yield key, text(contract[key])
    for name, version in sorted(mapping(contract.get("libraries")).items()):
        yield f"trained-with:{name}", str(version)


def _card(path: str, contract: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of it as a CycloneDX model card; empty if nothing is."""
    parameters: dict[str, Any] = {}
    data = text(contract.get("data"))
    if data:
        name = f"training data of {text(contract.get('name')) or posixpath.basename(path)}"
        parameters["datasets"] = [{"type": "dataset", "name": name, "description": data}]
    features = [each for each in map(mapping, items(contract.get("features"))) if text(each.get("name"))]
    if features:
        parameters["inputs"] = [{"format": _feature(each)} for each in features]
    metrics = [
        {"type": name, "value": _number(value)}
        for name, value in sorted(mapping(contract.get("metrics")).items())
        if isinstance(value, int | float)
    ]
    card = {
        "modelParameters": parameters,
        "quantitativeAnalysis": {"performanceMetrics": metrics} if metrics else {},
    }
    return {name: value for name, value in card.items() if value}


def _feature(feature: Mapping[str, Any]) -> str:
    """Return an input in one line: `surface_m2: number, m²`."""
    about = ", ".join(filter(None, (text(feature.get("type")), text(feature.get("unit")))))
    return f"{feature['name']}: {about}" if about else str(feature["name"])


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)
