"""A bill says which image it is of, and what it could not read."""

from __future__ import annotations

import pytest

from dockyard import sbom
from dockyard.image.notes import MAX_KEPT_FILE
from images import file, image_of
from unit.sbom.made import DEBIAN, PATTERNS, STATUS, bill, distribution, names, one, package, read, status

OCI = "org.opencontainers.image"
DIGEST = f"sha256:{'ba' * 32}"


def test_image():
    """The image's labels say its name, version and licence; where there are none, its reference does."""
    labels = {f"{OCI}.title": "shop", f"{OCI}.version": "3", f"{OCI}.created": "2026-01-02", f"{OCI}.licenses": "MIT"}
    told, bare = bill(config={"Labels": labels}), bill()

    assert (told.name, told.version, told.created) == ("shop", "3", "2026-01-02")
    assert [each.text for each in told.licences] == ["MIT"]
    assert (bare.name, bare.version, bare.created, bare.licences) == ("tiny", "1", "", ())
    assert bill(config={"Labels": {f"{OCI}.title": "The shop's API"}}).name == "tiny"
    assert (bare.architecture, bare.digest) == ("amd64", read([]).digest)


@pytest.mark.parametrize(
    ("name", "digest", "told", "purl", "sha256"),
    [
        ("python:3.12", DIGEST, "python 3.12", f"pkg:oci/python@{DIGEST}?tag=3.12", "ba" * 32),
        (
            "corp:5000/x/python:3.12", DIGEST, "corp:5000/x/python 3.12",
            f"pkg:oci/python@{DIGEST}?repository_url=corp:5000/x/python&tag=3.12", "ba" * 32,
        ),
        (f"python@{DIGEST}", DIGEST, "python", f"pkg:oci/python@{DIGEST}", "ba" * 32),
        ("python:3.12", "", "python 3.12", "", ""),
        ("", DIGEST, DIGEST, "", "ba" * 32),
        ("python:3.12", "sha256:what", "python 3.12", "pkg:oci/python@sha256:what?tag=3.12", ""),
    ],
)  # fmt: skip
def test_base(name, digest, told, purl, sha256):
    """The base is what the labels name, with its digest."""
    (got,) = bill(config={"Labels": {f"{OCI}.base.name": name, f"{OCI}.base.digest": digest}}).of("base")
    assert (got.told, got.purl, got.sha256) == (told, purl, sha256)


def test_order():
    """Components stand by kind and name, whatever order they have in the image."""
    found = bill(distribution("b", "1"), distribution("a", "1"), DEBIAN, status(package("z"), package("y")))
    assert [each.told for each in found.components] == ["debian 12", "y 1.0-1", "z 1.0-1", "a 1", "b 1"]


@pytest.mark.parametrize("path", ["var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/Packages.db"])
def test_unread_packages(path):
    """Packages that cannot be read here are said to be missing, not kept quiet."""
    assert bill(file(path)).problems == (f"RPM packages are not listed: /{path} cannot be read here.",)


def test_list_that_was_not_kept():
    """A list that was too large to keep is named."""
    found = bill(file(STATUS, package("a").encode() + b" " * MAX_KEPT_FILE))
    assert f"/{STATUS} was not kept, so what it lists may be missing." in found.problems


def test_empty():
    """An image without a system or packages has an empty bill and no problem."""
    assert (bill().components, bill().problems) == ((), ())


def test_little_is_kept():
    """Of an image only lists, metadata, copyrights and small models are held in memory."""
    members = [
        DEBIAN, status(package("a")), distribution("a", "1"), file("usr/share/doc/a/copyright"),
        file("app/models/a.onnx"), file("app/main.py"), file("usr/bin/python3.12", b"\x7fELF"),
        file("opt/venv/lib/python3.12/site-packages/a-1.dist-info/RECORD"), file("usr/share/doc/a/changelog.gz"),
    ]  # fmt: skip
    assert len(read(members).contents) == 5
    everything = image_of(members)
    assert sbom.bill(everything, PATTERNS).components == sbom.bill(read(members), PATTERNS).components
    assert names(sbom.bill(everything), "model") == []


def test_twice_the_same():
    """What two records of one folder name is listed once."""
    found = bill(distribution("a", "1"), distribution("a", "1", form="a-1-py3.12.egg-info/PKG-INFO"))
    assert one(found, "a").version == "1"
