from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile

import pytest

from dockyard.machine import archive
from dockyard.machine.archive import EPOCH


def write(path, *, mode: int = 0o644):
    with archive.write_layer(path, "a test") as (writer, blob):
        writer.folder("etc")
        writer.file("etc/a", b"content", executable=mode != 0o644)
        writer.link("etc/b", "a")
    return blob.layer


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_layer(tmp_path):
    """A layer's entries are root's, none is younger than the epoch, and both its digests are true."""
    layer = write(tmp_path / "layer")
    packed = (tmp_path / "layer").read_bytes()

    assert layer.digest == digest(packed)
    assert layer.diff_id == digest(gzip.decompress(packed))
    with tarfile.open(tmp_path / "layer") as tar:
        assert [(each.name, each.mode, each.uid, each.gid, each.mtime) for each in tar] == [
            ("etc", 0o755, 0, 0, EPOCH),
            ("etc/a", 0o644, 0, 0, EPOCH),
            ("etc/b", 0o777, 0, 0, EPOCH),
        ]
        assert tar.extractfile("etc/a").read() == b"content"
        assert tar.getmember("etc/b").linkname == "a"


def test_same_bytes(tmp_path, monkeypatch):
    """The same content gives the same layer at another time and in another place, and other content another."""
    first = write(tmp_path / "first")
    monkeypatch.setattr("time.time", lambda: 4e9)
    (tmp_path / "elsewhere").mkdir()

    assert write(tmp_path / "elsewhere/second").digest == first.digest
    assert write(tmp_path / "third", mode=0o755).digest != first.digest


@pytest.mark.parametrize(("time", "kept"), [(EPOCH - 5, EPOCH - 5), (EPOCH + 5.5, EPOCH)])
def test_copied(tmp_path, time, kept):
    """An entry of another tar keeps its owner, its rights and an old time; names of users and new times go."""
    entry = tarfile.TarInfo("file")
    entry.uid, entry.gid, entry.mode, entry.mtime, entry.uname, entry.size = 0, 42, 0o640, time, "root", 2
    entry.pax_headers = {"mtime": str(time), "SCHILY.xattr.user.a": "b"}

    with archive.write_layer(tmp_path / "layer", "") as (writer, _):
        writer.copy(entry, io.BytesIO(b"ab"))

    with tarfile.open(tmp_path / "layer") as tar:
        (copied,) = tar
        assert (copied.uid, copied.gid, copied.mode, copied.mtime, copied.uname) == (0, 42, 0o640, kept, "")
        assert copied.pax_headers == {"SCHILY.xattr.user.a": "b"}
        assert tar.extractfile(copied).read() == b"ab"


@pytest.fixture
def image(tmp_path) -> dict[str, bytes]:
    """The files of an image that was written."""
    archive.write_image(
        tmp_path / "image.tar",
        "dockyard.local/python:3.12",
        [write(tmp_path / "one"), write(tmp_path / "two", mode=0o755)],
        {"Env": ["A=b"], "Labels": {"c": "d"}},
        architecture="arm64",
        created="2026-11-02T12:55:59Z",
    )
    with tarfile.open(tmp_path / "image.tar") as tar:
        return {each.name: tar.extractfile(each).read() for each in tar}


def blob(image: dict[str, bytes], descriptor) -> bytes:
    content = image["blobs/" + descriptor["digest"].replace(":", "/")]
    assert descriptor.get("size", len(content)) == len(content)
    return content


def test_image(image, tmp_path):
    """An image is an OCI layout: every descriptor leads to a blob of its digest and size."""
    assert json.loads(image["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (named,) = json.loads(image["index.json"])["manifests"]
    assert named["annotations"] == {
        "io.containerd.image.name": "dockyard.local/python:3.12",
        "org.opencontainers.image.ref.name": "3.12",
    }
    manifest = json.loads(blob(image, named))
    config = json.loads(blob(image, manifest["config"]))
    layers = [blob(image, each) for each in manifest["layers"]]

    assert layers == [(tmp_path / "one").read_bytes(), (tmp_path / "two").read_bytes()]
    assert config["rootfs"]["diff_ids"] == [digest(gzip.decompress(each)) for each in layers]
    assert config["config"] == {"Env": ["A=b"], "Labels": {"c": "d"}}
    assert (config["architecture"], config["os"], config["created"]) == ("arm64", "linux", "2026-11-02T12:55:59Z")
    assert [each["created_by"] for each in config["history"]] == ["a test", "a test"]
    for name, content in image.items():
        if name.startswith("blobs/"):
            assert digest(content) == name.removeprefix("blobs/").replace("/", ":")


def test_older_engines(image):
    """The manifest that engines without OCI layouts read names the same configuration and layers."""
    (older,) = json.loads(image["manifest.json"])

    assert older["RepoTags"] == ["dockyard.local/python:3.12"]
    assert json.loads(image[older["Config"]])["architecture"] == "arm64"
    assert len([image[each] for each in older["Layers"]]) == 2


def test_image_same_bytes(tmp_path):
    """The same layers and configuration give the same archive."""
    layer = write(tmp_path / "layer")
    for name in ("one.tar", "two.tar"):
        archive.write_image(tmp_path / name, "a:b", [layer], {}, architecture="amd64", created="x")
        os.utime(tmp_path / "layer", (1, 1))

    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
