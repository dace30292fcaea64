"""The document is CycloneDX 1.6 by its official schema, and the same for the same image."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from dockyard import sbom
from dockyard.sbom import Bill, Component, Licence
from images import file
from unit.sbom.made import ALPINE, DEBIAN, PATTERNS, bill, distribution, package, read, status
from unit.sbom.test_alpine import INSTALLED
from unit.sbom.test_models import CONTRACT, model

OCI = "org.opencontainers.image"
LABELS = {
    f"{OCI}.title": "shop", f"{OCI}.version": "3", f"{OCI}.licenses": "Apache-2.0",
    f"{OCI}.created": "2026-01-02T03:04:05.123456789+01:00",
    f"{OCI}.base.name": "dockyard.local/python:3.12", f"{OCI}.base.digest": f"sha256:{'ba' * 32}",
}  # fmt: skip
MEMBERS = [
    DEBIAN, status(package("libc6", Depends="a"), package("a", Source="z (1:2)")),
    distribution("x", "1", "Requires-Dist: y", "License: MIT"), distribution("y", "2", "License: odd words"),
    file("usr/local/bin/python3.12", b"x", mode=0o755), file("app/models/m.onnx", model(c=json.dumps(CONTRACT))),
]  # fmt: skip
WHOLE = bill(*MEMBERS, config={"Labels": LABELS})


def fault(text: str) -> str:
    """What the official schema finds wrong, in one line."""
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return str(error).partition("\n")[0] if error else ""


def element(found: Bill, name: str) -> dict:
    (only,) = (each for each in sbom.document(found)["components"] if each["name"] == name)
    return only


def licences(*given: Licence) -> object:
    one = Component(kind="deb", name="a", version="1", purl="pkg:deb/debian/a@1", licences=given)
    return element(replace(WHOLE, components=(one,)), "a").get("licenses")


HOSTILE = "\x1b[31m\u202e\0\n<"
ODD = {f"{OCI}.title": "\ud800", f"{OCI}.base.name": "@:", f"{OCI}.created": "never"}
BILLS = {
    "whole": WHOLE,
    "empty": bill(),
    "alpine": bill(ALPINE, file("lib/apk/db/installed", INSTALLED.encode())),
    "hostile": replace(
        WHOLE, name=HOSTILE, version=HOSTILE, created=HOSTILE,
        components=(Component(kind="pypi", name=HOSTILE, version=HOSTILE, place=HOSTILE, supplier=HOSTILE,
                              details={"x": HOSTILE}, licences=(Licence(HOSTILE, spdx=False),)),),
    ),
    "hostile files": bill(
        distribution("a", "1", site="x\udcff\x1b/site-packages"), file("\udcff-\udcfe.dist-info/RECORD"),
        file("app/models/\udcfe.onnx"),
        status(package("a", "1 ?#@&\x1b")), config={"Labels": ODD},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BILLS)
def test_valid(name):
    """Whatever is in an image, the document fits the official schema and can be written as UTF-8."""
    text = sbom.written(BILLS[name])
    assert fault(text) == ""
    text.encode("utf-8")
    assert [each for each in text if not each.isprintable() and each != "\n"] == []
    assert json.loads(text)["serialNumber"] == sbom.document(BILLS[name])["serialNumber"]


def test_validator_bites():
    """The schema refuses what is wrong, so that the test above can fail."""
    assert "'x' was unexpected" in fault(json.dumps(sbom.document(WHOLE) | {"x": 1}))


def test_same_bytes():
    """The same image gives the same bytes, in whatever order its layers hold the files; another one does not."""
    again = sbom.bill(read([*MEMBERS], config={"Labels": LABELS}), PATTERNS)
    turned = bill(*reversed(MEMBERS), config={"Labels": LABELS})

    assert sbom.written(again) == sbom.written(WHOLE)
    assert sbom.document(turned)["components"] == sbom.document(WHOLE)["components"]
    assert sbom.document(turned)["serialNumber"] != sbom.document(WHOLE)["serialNumber"]


def test_subject():
    """The image is the subject: name, version, digest; the moment is the image's own, and the tool is named."""
    told = sbom.document(WHOLE)["metadata"]

    assert (told["component"]["name"], told["component"]["version"]) == ("shop", "3")
    assert told["component"]["hashes"] == [{"alg": "SHA-256", "content": WHOLE.digest.removeprefix("sha256:")}]
    assert told["component"]["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert told["timestamp"] == "2026-01-02T02:04:05+00:00"
    assert [each["name"] for each in told["tools"]["components"]] == ["dockyard"]


@pytest.mark.parametrize("created", ["", "never", "2026-01-02T03:04:05"])
def test_no_moment(created):
    """Where the image does not say when it was made, no moment is made up."""
    assert "timestamp" not in sbom.document(replace(WHOLE, created=created))["metadata"]


def test_every_component():
    """Each component is in the document with its type, name, version, URL and place; the model has its card."""
    told = {each["bom-ref"]: each for each in sbom.document(WHOLE)["components"]}

    assert told.keys() == {each.ref for each in WHOLE.components}
    for each in WHOLE.components:
        one = told[each.ref]
        assert (one["name"], one.get("version", ""), one.get("purl", "")) == (each.name, each.version, each.purl)
        places = [found["location"] for found in one.get("evidence", {}).get("occurrences", ())]
        assert places == ([each.place] if each.place else [])
    kinds = {each["name"]: each["type"] for each in told.values()}
    assert kinds == {
        "dockyard.local/python": "container", "debian": "operating-system", "a": "library", "libc6": "library",
        "python": "platform", "x": "library", "y": "library", "shop": "machine-learning-model",
    }  # fmt: skip
    assert element(WHOLE, "shop")["modelCard"]["quantitativeAnalysis"]


def test_dependencies():
    """The graph leads from the image to all that is in it, along what wants what."""
    told = {each["ref"]: each.get("dependsOn", []) for each in sbom.document(WHOLE)["dependencies"]}
    refs = {each.name: each.ref for each in WHOLE.components}

    assert told[refs["libc6"]] == [refs["a"]]
    assert told[refs["x"]] == [refs["y"]]
    root = told[f"image:{WHOLE.digest}"]
    assert refs["libc6"] in root
    assert refs["a"] not in root
    assert {*root, *(each for wants in told.values() for each in wants)} == set(refs.values())


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ((), None),
        ((Licence("MIT", True),), [{"license": {"id": "MIT"}}]),
        ((Licence("MIT OR ISC", True),), [{"expression": "MIT OR ISC"}]),
        ((Licence("MIT OR ISC", True), Licence("Zlib", True)), [{"expression": "(MIT OR ISC) AND Zlib"}]),
        ((Licence("LGPL-2.1", False),), [{"license": {"name": "LGPL-2.1"}}]),
        (
            (Licence("MIT", True), Licence("MIT OR ISC", True), Licence("odd", False)),
            [{"license": {"id": "MIT"}}, {"license": {"name": "MIT OR ISC"}}, {"license": {"name": "odd"}}],
        ),
    ],
)
def test_licences(given, wanted):
    """Licences that all are SPDX are one expression; words are names, even where they look like an id."""
    assert licences(*given) == wanted
