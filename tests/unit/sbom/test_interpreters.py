"""The Pythons that no package brought are listed, with their whole version where anything tells it."""

from __future__ import annotations

import hashlib

import pytest

from images import file, symlink
from unit.sbom.made import bill, names, one, package, status

PROGRAM = file("usr/local/bin/python3.12", b"\x7fELF", mode=0o755)
HEADER = file("usr/local/include/python3.12/patchlevel.h", b'#define PY_VERSION      	"3.12.7+"\n')


def test_python():
    """An interpreter has version, digest, licence and the name that vulnerability lists have for it."""
    got = one(bill(PROGRAM, HEADER, symlink("usr/local/bin/python3", "python3.12")), "python")

    assert (got.version, got.place) == ("3.12.7", "/usr/local/bin/python3.12")
    assert got.sha256 == hashlib.sha256(PROGRAM.data).hexdigest()
    assert got.purl == "pkg:generic/python@3.12.7"
    assert got.details["cpe"] == "cpe:2.3:a:python:python:3.12.7:*:*:*:*:*:*:*"
    assert [each.text for each in got.licences] == ["Python-2.0.1"]


@pytest.mark.parametrize(
    ("others", "config", "version"),
    [
        ([file("venv/pyvenv.cfg", b"home = /usr/local/bin\nversion_info = 3.12.3\n")], {}, "3.12.3"),
        ([file("venv/pyvenv.cfg", b"home = /opt/bin\nversion_info = 3.12.3\n")], {}, "3.12"),
        ([], {"Env": ["PYTHON_VERSION=3.12.9"]}, "3.12.9"),
        ([], {"Env": ["PYTHON_VERSION=3.11.9"]}, "3.12"),
        ([HEADER], {"Env": ["PYTHON_VERSION=3.12.9"]}, "3.12.7"),
        ([file("usr/local/include/python3.12/patchlevel.h", b'#define PY_VERSION "3.12.7 :*"')], {}, "3.12"),
        ([], {}, "3.12"),
    ],
)
def test_versions(others, config, version):
    """The whole version is told by its header, an environment made of it or the image's variable, if they are of it."""
    assert one(bill(PROGRAM, *others, config=config), "python").version == version


@pytest.mark.parametrize(
    ("member", "wanted"),
    [
        (file("usr/local/bin/python3.12", mode=0o644), []),
        (file("usr/local/bin/python3.12-config", mode=0o755), []),
        (file("opt/python/bin/python3.13t", mode=0o755), ["python 3.13"]),
    ],
)
def test_what_is_none(member, wanted):
    """A file that cannot be run, or is named otherwise, is no Python."""
    assert names(bill(member), "python") == wanted


def test_packaged():
    """A Python that a package brought is listed as that package; another one beside it for itself."""
    there = [file("usr/bin/python3.11", mode=0o755), PROGRAM]
    found = bill(*there, status(package("python3.11-minimal")))
    assert [each.place for each in found.of("python")] == ["/usr/local/bin/python3.12"]
