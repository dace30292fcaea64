"""A mount's tar, made smaller."""

from __future__ import annotations

import tarfile

import pytest

from dockyard.cache.trim import Contents, Unit, chosen, contents, unit_of, without
from images import file, folder, hardlink, tar

UV = (
    folder("./", mtime=9),
    folder("./archive-v0/", mtime=9),
    folder("./archive-v0/old/", mtime=1),
    file("./archive-v0/old/pkg/a.py", b"x" * 100, mtime=7, uid=1000, mode=0o640),
    folder("./archive-v0/new/", mtime=5),
    file("./archive-v0/new/pkg/b.py", b"x" * 10, mtime=2),
    file("./wheels-v8/pypi/old.msgpack", b"x", mtime=8),
)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("./archive-v0/AbC/pkg/module.py", "archive-v0/AbC"),
        ("./archive-v0/AbC", "archive-v0/AbC"),
        ("./http-v2/a/b/abc", "http-v2/a/b/abc"),
        ("./http-v2/a/b/abc.body", "http-v2/a/b/abc"),
        ("./http/a/abc", "http/a/abc"),
        ("./wheels-v8/pypi/a.msgpack", "wheels-v8"),
        ("./file", "file"),
        (".", "."),
    ],
)
def test_units(name, unit):
    """A distribution of uv's and an answer of pip's go alone; of what is not known, all of a folder or nothing."""
    assert unit_of(name) == unit


@pytest.fixture
def packed(tmp_path):
    """Write a tar."""

    def packed(*members):
        path = tmp_path / "0.tar"
        path.write_bytes(tar(*members))
        return path

    return packed


def test_contents(packed):
    """A unit has the bytes of its files and the age of its folder, whatever its files say."""
    found = contents(packed(*UV))
    assert found.size == 111
    assert (found.units["archive-v0/old"].size, found.units["archive-v0/old"].age) == (100, 1)
    assert (found.units["archive-v0/new"].size, found.units["archive-v0/new"].age) == (10, 5)


@pytest.mark.parametrize(
    ("most", "gone"),
    [
        (111, set()),
        (110, {"archive-v0/old"}),
        (11, {"archive-v0/old"}),
        (10, {"archive-v0/old", "archive-v0/new"}),
        (0, {"archive-v0/old", "archive-v0/new", "wheels-v8"}),
    ],
)
def test_oldest_goes_first(packed, most, gone):
    """What is oldest goes until the rest has room, and no more."""
    assert chosen([contents(packed(*UV))], most) == [gone]


def test_over_all_mounts():
    """Mounts share the room: the oldest of all of them goes."""
    one = Contents(units={"a": Unit(size=5, age=3), "b": Unit(size=5, age=1)})
    other = Contents(units={"c": Unit(size=5, age=2)})
    assert chosen([one, other], 5) == [{"b"}, {"c"}]


def test_links_go_with_what_they_name(packed):
    """What would lose a file with another unit goes with it."""
    archive = packed(file("./a/one", b"x" * 9, mtime=1), hardlink("./b/two", "./a/one"), file("./b/own", b"y", mtime=9))
    assert chosen([contents(archive)], 5) == [{"a", "b"}]


def test_without(packed):
    """The rest stays as it was: owners, rights, times; and a tar of which nothing goes is not written anew."""
    archive = packed(*UV)
    before = archive.stat().st_ino
    without(archive, set())
    assert archive.stat().st_ino == before

    without(archive, {"archive-v0/new", "wheels-v8"})
    with tarfile.open(archive) as left:
        names = [each.name for each in left]
        kept = left.getmember("./archive-v0/old/pkg/a.py")
    assert not [name for name in names if "new" in name or "wheels" in name]
    assert (kept.uid, kept.mode, kept.mtime, kept.size) == (1000, 0o640, 7, 100)
