"""The wheels of a bundle as a CycloneDX document."""

from __future__ import annotations

import io
import zipfile

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from dockyard import bundle, sbom
from dockyard.errors import EngineError


def wheel(name: str, version: str) -> bytes:
    """A wheel of metadata alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        told = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nLicense-Expression: MIT\n"
        archive.writestr(f"{name}-{version}.dist-info/METADATA", told)
    return buffer.getvalue()


@pytest.fixture
def listed(tmp_path):
    def listed(**wheels):
        for name, content in wheels.items():
            path = tmp_path / "wheels" / f"{name}-1.0-py3-none-any.whl"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        members = bundle.staged(tmp_path)
        return bundle.bill_of_wheels(tmp_path, members, name="shop", version="3", platform="linux/amd64"), members

    return listed


def test_document(listed):
    """Each wheel is there with its URL, licence and the digest that the manifest has; the form is CycloneDX's."""
    bill, members = listed(beta=wheel("beta", "1.0"), alpha=wheel("alpha", "1.0"))
    document = sbom.document(bill)
    told = [(each["purl"], each["hashes"][0]["content"], each["licenses"]) for each in document["components"]]
    assert told == [
        (
            f"pkg:pypi/{name}@1.0",
            next(each.sha256 for each in members if name in each.name),
            [{"license": {"id": "MIT"}}],
        )
        for name in ("alpha", "beta")
    ]
    subject = document["metadata"]["component"]
    assert (subject["name"], subject["type"]) == ("shop-wheels", "file")
    assert "purl" not in subject
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(sbom.written(bill)) is None


@pytest.mark.parametrize("content", [b"no zip", wheel("other", "1.0")])
def test_no_wheel(listed, content):
    """A file that is no wheel of its name is refused by that."""
    with pytest.raises(EngineError, match=r"refused: wheels/alpha-1\.0-py3-none-any\.whl"):
        listed(alpha=content)
