"""Whatever an image's lists hold, a bill and a valid document come of it."""

from __future__ import annotations

import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from dockyard import sbom
from images import file
from unit.sbom.made import ALPINE, DEBIAN, SITE, STATUS, bill, distribution
from unit.sbom.test_models import model

OCI = "org.opencontainers.image"
ANYTHING = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
ODD = (
    "/",
    "//",
    "@",
    "?",
    "#",
    ":",
    "%2F",
    "..",
    "a/b",
    "*",
    " ",
    "\x1b",
    "\u2028",
    "a\nb",
    "A" * 5000,
    "\u0130",
    "(",
    "MIT AND",
    "\0",
)
VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)


def made(text: str) -> sbom.Bill:
    """A bill of an image that says this text wherever something can be said."""
    fields = "\n".join(
        f"{name}: {text}"
        for name in ("Package", "Version", "Architecture", "Source", "Maintainer", "Depends", "Provides")
    )
    letters = "\n".join(f"{name}:{text}" for name in "PVALTompDC")
    labels = dict.fromkeys(
        (f"{OCI}.{each}" for each in ("title", "version", "created", "licenses", "base.name", "base.digest")), text
    )
    wrote = json.dumps(
        {"name": text, "version": text, "data": text, "features": [{"name": text}], "metrics": {text: 1}}
    )
    return bill(
        DEBIAN if len(text) % 2 else ALPINE,
        file(STATUS, fields.encode()), file("lib/apk/db/installed", letters.encode()),
        file("usr/lib/os-release", f"ID={text}\nVERSION_ID={text}\n".encode()),
        file("usr/share/doc/x/copyright", f"Format: copyright-format\nFiles: *\nLicense: {text}".encode()),
        distribution("x", "1", f"License: {text}", f"Requires-Dist: {text}", f"Author: {text}"),
        file(f"{SITE}/y-1.dist-info/METADATA", f"Name: {text}\nVersion: {text}\nLicense-Expression: {text}".encode()),
        file(f"{SITE}/y-1.dist-info/INSTALLER", text.encode()),
        file("usr/local/bin/python3.12", b"", mode=0o755),
        file("usr/local/include/python3.12/patchlevel.h", f'#define PY_VERSION "3.12.{text}"'.encode()),
        file("app/models/m.onnx", model(c=wrote, d=text)),
        config={"Labels": labels, "Env": [f"PYTHON_VERSION={text}"]},
    )  # fmt: skip


def fault(found: sbom.Bill) -> str:
    return str(VALIDATOR.validate_str(sbom.written(found)) or "").partition("\n")[0]


@pytest.mark.parametrize("text", ODD)
def test_odd(text):
    """Names that package URLs, paths and expressions are made of do no harm."""
    assert fault(made(text)) == ""


@settings(max_examples=40, deadline=None)
@given(ANYTHING)
def test_anything(text):
    """Nor does any other."""
    assert fault(made(text)) == ""


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_noise(content):
    """Lists that are no lists are read to their end."""
    paths = (STATUS, "lib/apk/db/installed", f"{SITE}/a-1.dist-info/METADATA", "app/models/m.onnx", "x/pyvenv.cfg",
             "etc/os-release", f"{SITE}/a-1.dist-info/direct_url.json")  # fmt: skip
    assert bill(*(file(path, content) for path in paths)).of("pypi")
