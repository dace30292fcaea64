"""Models are listed with what their own file says of them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from dockyard.image.notes import MAX_KEPT_FILE
from dockyard.sbom import onnx
from images import file, symlink
from unit.sbom.made import bill, names, one

CONFIG = Path(__file__).parents[3] / "config" / "models"
CONTRACT = {
    "name": "shop", "version": "2.1", "currency": "EUR", "data": "sales of 2025", "libraries": {"numpy": "2.5"},
    "features": [{"name": "area", "type": "number", "unit": "m²"}, {"name": "kind"}, 3],
    "metrics": {"mae": 3.5, "rows": 14.0, "odd": "x"}, "golden": [1],
}  # fmt: skip


def varint(value: int) -> bytes:
    """A number as protobuf writes it."""
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(high) if high else bytes([low])


def field(number: int, value: bytes | str | int) -> bytes:
    """A field as protobuf writes it."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def model(**properties: str) -> bytes:
    """An ONNX file: version, producer, a graph, metadata."""
    entries = [field(14, field(1, key) + field(2, value)) for key, value in properties.items()]
    return field(1, 9) + field(2, "maker") + field(3, "1.2") + field(7, b"\x0a" * 300) + b"".join(entries)


def test_model():
    """A model's JSON metadata is its card: data, inputs, figures; what is no figure or input is left out."""
    content = model(contract=json.dumps(CONTRACT), note="by hand")
    got = one(bill(file("app/models/shop.onnx", content)), "shop")

    assert (got.version, got.place) == ("2.1", "/app/models/shop.onnx")
    assert got.sha256 == hashlib.sha256(content).hexdigest()
    assert got.details == {"producer": "maker 1.2", "currency": "EUR", "trained-with:numpy": "2.5"}
    assert got.card == {
        "modelParameters": {
            "datasets": [{"type": "dataset", "name": "training data of shop", "description": "sales of 2025"}],
            "inputs": [{"format": "area: number, m²"}, {"format": "kind"}],
        },
        "quantitativeAnalysis": {
            "performanceMetrics": [{"type": "mae", "value": "3.5"}, {"type": "rows", "value": "14"}]
        },
    }


@pytest.mark.parametrize("name", ["french-listings", "california"])
def test_this_repository(name):
    """The service's own models tell name, version, features, figures and data."""
    card = one(bill(file(f"app/models/{name}.onnx", (CONFIG / f"{name}.onnx").read_bytes())), name).card
    inputs = [each["format"].partition(":")[0] for each in card["modelParameters"]["inputs"]]
    figures = {each["type"] for each in card["quantitativeAnalysis"]["performanceMetrics"]}
    written = (CONFIG / f"{name}.md").read_text("utf-8")

    assert inputs
    assert all(f"| `{each}` |" in written for each in inputs)
    assert {"mae", "mape", "r2"} <= figures
    assert "synthetic" in card["modelParameters"]["datasets"][0]["description"]


@pytest.mark.parametrize("content", [b"", b"\x80\x04", b"PK\x03\x04", b"\x0f", model()[:40], b"\xff" * 20])
def test_without_a_card(content):
    """A file that says nothing, or is no ONNX, is listed by its name and digest."""
    (got,) = bill(file("app/models/a.onnx", content)).of("model")
    assert (got.name, got.version, got.card) == ("a.onnx", "", {})
    assert got.sha256 == hashlib.sha256(content).hexdigest()


def test_cut_off_says_nothing():
    """Of a file that is cut off nothing is believed."""
    assert onnx.metadata(model(a="b")) == onnx.Told(producer="maker 1.2", properties={"a": "b"})
    assert onnx.metadata(model(a="b")[:-1]) == onnx.Told()


def test_which_files():
    """The patterns of the settings tell which files are models; links have what they lead to."""
    found = bill(
        file("app/models/a.onnx", b""),
        symlink("app/models/b.onnx", "a.onnx"),
        symlink("app/models/c.onnx", "gone"),
        file("app/models/a.onnx.sha256", b""),
        file("app/other/d.onnx", b""),
    )
    assert names(found, "model") == ["a.onnx", "b.onnx"]
    assert len({each.sha256 for each in found.of("model")} - {""}) == 1


def test_large():
    """A model that is too large to be kept is listed without its card, and that is no problem of the image."""
    found = bill(file("app/models/a.onnx", model(name='{"name": "x"}') + b"\0" * MAX_KEPT_FILE))
    assert names(found, "model") == ["a.onnx"]
    assert found.problems == ()
