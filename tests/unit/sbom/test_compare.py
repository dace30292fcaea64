"""Two lists are compared by kind and name, whoever wrote them."""

from __future__ import annotations

import json

import pytest

from dockyard import sbom
from dockyard.errors import SettingsError
from dockyard.sbom import Change, Listed
from unit.sbom.made import DEBIAN, bill, distribution, package, status
from unit.sbom.test_document import WHOLE

OLD = bill(DEBIAN, status(package("libc6", "1"), package("gone")), distribution("A.b", "1"), distribution("same", "1"))
NEW = bill(DEBIAN, status(package("libc6", "2")), distribution("a-b", "1"), distribution("same", "1"),
           distribution("same", "2", site="other/site-packages"), distribution("new", "1"))  # fmt: skip


def test_changes():
    """Packages come, go and change; a name that is spelled otherwise is the same; all versions of one are told."""
    got = sbom.compare(sbom.listed(OLD), sbom.listed(NEW), reference="old")

    assert got.changes == (
        Change(kind="deb", name="gone", old=("1.0-1",), new=()),
        Change(kind="deb", name="libc6", old=("1",), new=("2",)),
        Change(kind="pypi", name="new", old=(), new=("1",)),
        Change(kind="pypi", name="same", old=("1",), new=("1", "2")),
    )
    assert [each.how for each in got.changes] == ["removed", "changed", "added", "changed"]
    assert got.same == 2


def test_own_document(tmp_path):
    """A document that was written here lists what its bill does, packages and all else."""
    (tmp_path / "sbom.json").write_text(sbom.written(WHOLE), "utf-8")
    assert sbom.read(tmp_path / "sbom.json") == sbom.listed(WHOLE)


@pytest.mark.parametrize(
    ("purl", "wanted"),
    [
        ("pkg:pypi/Foo_Bar@1.0", [Listed("pypi", "foo-bar", "1.0")]),
        ("pkg:deb/debian/g%2B%2B@12%2B1?arch=amd64&epoch=4", [Listed("deb", "g++", "4:12+1")]),
        ("pkg:deb/debian/a@1%3A2?arch=amd64#x", [Listed("deb", "a", "1:2")]),
        ("pkg:apk/alpine/musl@1.2-r0?arch=x86_64", [Listed("apk", "musl", "1.2-r0")]),
        ("pkg:npm/left-pad@1", []),
        ("pkg:pypi/unversioned", []),
        ("", []),
    ],
)
def test_documents_of_others(purl, wanted):
    """Other tools' documents are read by their package URLs, components in components too."""
    inner = {"components": [{"components": [{"type": "library", "name": "x", "purl": purl}]}]}
    assert sorted(sbom.of_document(inner)) == wanted


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"bomFormat": "SPDX"}', b"\xff", b"[" * 100_000])
def test_no_document(tmp_path, content):
    """What is no CycloneDX document is refused, by its name."""
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(SettingsError, match=r"a\.json cannot be compared with"):
        sbom.read(tmp_path / "a.json")


@pytest.mark.parametrize("odd", [3, None, {"components": 3}, {"components": [3, {"properties": [3], "purl": 3}]}])
def test_odd_documents(odd):
    """Whatever is in a document, reading it ends."""
    assert sbom.of_document(json.loads(json.dumps(odd))) == frozenset()
