"""An archive is written whole or not at all, and the same content gives the same bytes."""

from __future__ import annotations

import tarfile

import pytest

from dockyard import bundle
from dockyard.bundle import pack
from dockyard.errors import EngineError

from . import made


def test_same_bytes(tmp_path):
    """Two bundles of one content are one, whoever wrote them and when."""
    digests = {made.write(tmp_path / name) for name in ("one.tar", "two.tar")}
    assert len(digests) == 1
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    with tarfile.open(tmp_path / "one.tar") as archive:
        told = {(each.uid, each.gid, each.mtime, each.mode, each.uname) for each in archive}
        assert archive.getnames()[:2] == ["manifest.json", "manifest.json.sha256"]
    assert told == {(0, 0, 0, 0o644, "")}


@pytest.mark.parametrize("error", [KeyboardInterrupt, EngineError("a", "b", "c")])
def test_interrupted_leaves_nothing(tmp_path, monkeypatch, error):
    """An end in the middle of writing leaves no file, and an older bundle of that name as it was."""
    target = tmp_path / "bundle.tar"
    target.write_bytes(b"older")

    def stopped(*_):
        assert list(tmp_path.glob(".bundle.tar.*/archive"))
        raise error

    monkeypatch.setattr(pack, "verify", stopped)
    with pytest.raises(type(error) if isinstance(error, Exception) else error):
        made.write(target)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle.tar"]
    assert target.read_bytes() == b"older"


def test_written_is_verified(tmp_path, monkeypatch):
    """What the disk has in place of what was written makes no bundle."""
    real = pack.verify

    def spoilt(path):
        content = path.read_bytes()
        path.write_bytes(content.replace(made.FILES[made.ALPHA], made.FILES[made.ALPHA][::-1]))
        return real(path)

    monkeypatch.setattr(pack, "verify", spoilt)
    with pytest.raises(EngineError, match=made.ALPHA):
        made.write(tmp_path / "bundle.tar")
    assert list(tmp_path.iterdir()) == []


def test_full_disk(tmp_path):
    """A disk that is full, or a folder that cannot be written, is said in three lines."""
    target = tmp_path / "bundle.tar"
    with pytest.raises(EngineError, match="cannot be written"), bundle.staging(target):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_two_of_one_name(tmp_path):
    """A wheel of two Pythons is there once; two that differ are refused."""
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).write_bytes(content)
    target = tmp_path / "wheels" / "x.whl"
    bundle.put(tmp_path / "a", target)
    bundle.put(tmp_path / "b", target)
    with pytest.raises(EngineError, match=r"Two files are called x\.whl"):
        bundle.put(tmp_path / "c", target)
