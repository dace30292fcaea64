"""The archive of cache mounts: whole, or refused."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace

import pytest
import zstandard

from dockyard.cache.archive import LIST, Archive, Packed, digest, read, write
from dockyard.errors import EngineError
from images import archive as plain_tar
from support import sentences


@pytest.fixture
def made(tmp_path):
    """An archive of two mounts."""
    tars = [tmp_path / "one", tmp_path / "two"]
    tars[0].write_bytes(b"first" * 1000)
    tars[1].write_bytes(b"")
    mounts = tuple(
        Packed(id=name, owner=owner, size=1, length=each.stat().st_size, sha256=digest(each))
        for name, owner, each in (("/c", {}, tars[0]), ("d", {"uid": "7"}, tars[1]))
    )
    told = Archive(key="mounts-x", mounts=mounts)
    path = tmp_path / "mounts.tar.zst"
    write(path, told, tars)
    return path, told, tars


@pytest.fixture
def out(tmp_path):
    """Where an archive is unpacked."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def refusal(path, out) -> str:
    """Why an archive is refused, which names it."""
    with pytest.raises(EngineError) as caught:
        read(path, out)
    what, why, todo = sentences(caught.value)
    assert str(path) in what
    assert "invoke cache --export FILE" in todo
    return f"{what} {why}"


def test_there_and_back(made, out):
    """What was written is read."""
    path, told, tars = made
    assert read(path, out) == told
    assert [(out / f"{number}.tar").read_bytes() for number in (0, 1)] == [each.read_bytes() for each in tars]
    assert told.mounts[1].identity == ("d", "7", "", "")


def test_same_contents_same_bytes(made, tmp_path):
    """The same contents give the same file, whenever it is written."""
    path, told, tars = made
    write(tmp_path / "again", told, tars)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_cut(made, out, part):
    """An archive that ends too early is refused, wherever it ends."""
    path, *_ = made
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    assert "damaged" in refusal(path, out)


def test_changed(made, out):
    """A single bit that is another one is found, wherever it is, unless it is one that means nothing."""
    path, told, _ = made
    content = path.read_bytes()
    refused = 0
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        try:
            assert read(path, out) == told
        except EngineError:
            refused += 1
    assert refused > len(content) * 0.98


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({}, ""),
        ({"other": b""}, "it is no archive of cache mounts"),
        ({LIST: b"{}"}, "it is of version None"),
        ({LIST: b"no json"}, ""),
        ({LIST: json.dumps({"version": 1, "key": "k", "mounts": [{"id": "/c"}]}).encode()}, "/c are not there"),
        (
            {LIST: json.dumps({"version": 1, "key": "k", "mounts": [{"id": "/c"}]}).encode(), "../0.tar": b""},
            "/c are not there",
        ),
        (
            {LIST: json.dumps({"version": 1, "key": "k", "mounts": [{"id": "/c"}]}).encode(), "0.tar": b""},
            "/c are not those",
        ),
    ],
)
def test_foreign(tmp_path, out, members, why):
    """What is no archive of ours is refused, and writes no file but those it may."""
    path = tmp_path / "foreign"
    path.write_bytes(zstandard.compress(plain_tar(members)))
    assert why in refusal(path, out)
    assert {each.name for each in tmp_path.iterdir()} == {"foreign", "out"}


def test_no_archive(tmp_path, out):
    """A file that is not there is named, and so is one of another kind."""
    assert "There is no archive" in refusal(tmp_path / "none", out)
    path = tmp_path / "plain"
    path.write_bytes(b"plain text")
    assert "damaged" in refusal(path, out)


def test_failed_write(made, tmp_path):
    """What cannot be written leaves the file of before as it was, and no half of a new one."""
    path, told, tars = made
    before = path.read_bytes()
    with pytest.raises(EngineError, match="cannot be written"):
        write(path, told, [tars[0], tmp_path / "gone"])
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.glob(".*")] == []


def test_list_is_first(made):
    """What an archive holds can be told without reading it to its end."""
    path, told, _ = made
    plain = zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        assert archive.getnames() == [LIST, "0.tar", "1.tar"]
        listed = json.load(archive.extractfile(LIST))
    assert listed["key"] == told.key
    assert replace(told.mounts[1], owner={"uid": "7"}) == Packed(**listed["mounts"][1])
