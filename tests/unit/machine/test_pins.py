from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from dockyard.errors import SettingsError
from dockyard.machine.pins import Pin, contents_of, find, read, write, written
from unit.machine.conftest import facts

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
PIN = Pin(
    reference="python:3.12-slim-bookworm",
    platform="linux/amd64",
    platforms=("linux/amd64", "linux/arm64/v8"),
    digest=DIGEST,
    contents=OTHER,
    pinned=date(2026, 10, 1),
    system="debian 12.12",
    python="3.12.12",
    packages=("deb libc6 2.36-9", "pypi pip 25.0"),
)


def test_file(tmp_path):
    """What is written is read back, whatever it holds, and no half-written file stays beside it."""
    odd = replace(PIN, reference="team/odd:1", packages=('deb a"b\\ \x01\x7f é 1',), assembled=True)
    path = tmp_path / "new" / "bases.toml"
    write(path, [PIN, odd])

    assert set(read(path)) == {PIN, odd}
    assert [each.name for each in path.parent.iterdir()] == ["bases.toml"]


def test_form():
    """The file is the same in whatever order pins come, and has a package a line, so that a change can be reviewed."""
    other = replace(PIN, reference="python:3.11-slim-bookworm")
    assert written([PIN, other]) == written([other, PIN])
    assert '    "deb libc6 2.36-9",\n    "pypi pip 25.0",\n]' in written([PIN])
    assert "assembled" not in written([PIN])


def test_no_file(tmp_path):
    """Where there is no file nothing is pinned."""
    assert read(tmp_path / "gone.toml") == ()


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("[[base]]", "[[base", "line"),
        (DIGEST, "latest", "the digest of python:3.12-slim-bookworm is none"),
        ("digest = ", "digset = ", "digset, digest is wrong"),
        ("2026-10-01", '"soon"', "pinned is wrong"),
        ("2026-10-01", "2026-10-01T00:00:00Z", "pinned is wrong"),
        ('"deb libc6 2.36-9"', "7", "packages is wrong"),
        ("[[base]]", "[bases]\n[[base]]", "something else than [[base]] tables"),
    ],
)
def test_damaged(tmp_path, old, new, why):
    """A file that is no list of pins is refused as a whole, with its place and what to do; never taken for empty."""
    path = tmp_path / "bases.toml"
    path.write_text(written([PIN]).replace(old, new, 1), "utf-8")

    with pytest.raises(SettingsError) as caught:
        read(path)

    assert caught.value.what == "The pins in bases.toml cannot be read."
    assert why in caught.value.why
    assert "invoke pin" in caught.value.todo


def test_twice(tmp_path):
    """A base that is pinned twice, as a merge may leave it, is refused."""
    path = tmp_path / "bases.toml"
    path.write_text(written([PIN]) + written([replace(PIN, digest=OTHER)]), "utf-8")
    with pytest.raises(SettingsError, match="cannot be read") as caught:
        read(path)
    assert "twice" in caught.value.why


def test_unwritable(tmp_path):
    """A file that cannot be written says so; the old one stays as it was."""
    (tmp_path / "bases.toml").mkdir()
    with pytest.raises(SettingsError, match="cannot be written"):
        write(tmp_path / "bases.toml", [PIN])
    assert [each.name for each in tmp_path.iterdir()] == ["bases.toml"]


@pytest.mark.parametrize(
    ("platform", "found"),
    [("linux/amd64", PIN), ("linux/arm64", PIN), ("linux/arm", None), ("linux/s390x", None)],
)
def test_platform(platform, found):
    """A digest of many platforms holds for each of them, and for no other."""
    assert find([PIN], PIN.reference, platform) is found
    assert find([PIN], "python:3.13", platform) is None


def test_own_platform_first():
    """Where a platform has a pin of its own, that is taken."""
    own = replace(PIN, platform="linux/arm64", digest=OTHER)
    assert find([PIN, own], PIN.reference, "linux/arm64") is own


def test_fits_by_digest():
    """An image is known by its digest, under whatever name it was pulled."""
    there = replace(facts("x:1"), digests=(f"mirror.example/python@{DIGEST}",))
    assert PIN.fits(there)
    assert not replace(PIN, digest=OTHER, contents="").fits(there)


def test_fits_by_contents():
    """An image that was saved and loaded has another digest, and is known by its layers and by what it runs."""
    layers = replace(facts("x:1"), diff_ids=("sha256:1", "sha256:2"), command=("python3",))
    pinned = replace(PIN, contents=contents_of(layers))

    assert pinned.fits(replace(layers, digests=(), id="sha256:9"))
    for changed in ({"diff_ids": ("sha256:1",)}, {"env": ("PATH=/evil",)}, {"command": ("sh",)}, {"user": "0"}):
        assert not pinned.fits(replace(layers, **changed))


def test_fits_without_layers():
    """Where the engine names no layers nothing is known by them: two such images are not the same."""
    assert contents_of(facts("x:1")) == ""
    assert not replace(PIN, contents="").fits(facts("x:1"))


def test_age():
    """A pin's age is in whole days."""
    assert PIN.age(date(2026, 11, 23)) == 53
