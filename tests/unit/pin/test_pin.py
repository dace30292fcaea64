from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from dockyard import pin
from dockyard.errors import AuditError, EngineError
from images import file, image_of
from unit.pin.made import NEW, OLD, outcome
from unit.sbom.made import ALPINE, DEBIAN, distribution, package, status

TODAY = date(2026, 11, 23)
PATCHLEVEL = file("usr/local/include/python3.12/patchlevel.h", b'#define PY_VERSION "3.12.12"\n')
FORKY = file("etc/debian_version", b"forky/sid\n")
PYTHON = file("usr/local/bin/python3.12", b"\x7fELF", mode=0o755)


def read(*members):
    return pin.contents(image_of([*members], keep=pin.keeps))


def test_contents():
    """A base is its system with the point release, its Python, and a line for each package, sorted."""
    listed = status(package("libc6", "2.36-9"), package("bash", "5.2"))
    found = read(
        DEBIAN, file("etc/debian_version", b"12.12\n"), listed, PATCHLEVEL, PYTHON, distribution("Pip", "25.0")
    )

    assert (found.system, found.python) == ("debian 12.12", "3.12.12")
    assert found.packages == ("deb bash 5.2", "deb libc6 2.36-9", "pypi Pip 25.0")
    assert found.problems == ()


@pytest.mark.parametrize(
    ("members", "system"),
    [
        ([DEBIAN], "debian 12"),
        ([DEBIAN, FORKY], "debian 12"),
        ([ALPINE], "alpine 3.20.3"),
        ([], ""),
    ],
)
def test_system(members, system):
    """Where there is no point release the system's own version is told; a word in its place says nothing."""
    assert read(*members).system == system


def test_moved():
    """What moved is told from the two pins alone: digest, system, Python, and packages of each sort."""
    found = pin.moved(OLD, NEW)

    assert [name for name, _, _ in found.facts] == ["digest", "system", "python"]
    assert {(each.how, each.name) for each in found.packages.changes} == {
        ("removed", "bash"),
        ("changed", "libc6"),
        ("added", "zlib1g"),
    }
    assert found.packages.same == 1
    assert pin.moved(OLD, OLD).facts == ()


@pytest.mark.parametrize(
    ("system", "python", "told"),
    [
        ("debian 12.12", "3.12.12", [("debian 12", -166, True), ("Python 3.12", 708, False)]),
        ("debian 13", "3.10.9", [("debian 13", 625, False), ("Python 3.10", -23, True)]),
        ("alpine 3.21.4", "", [("alpine 3.21", -22, True)]),
        ("debian 99", "4.0.1", []),
        ("", "", []),
    ],
)
def test_ends(system, python, told):
    """The ends of support are those of the system's release and of the Python's; one that is unknown is not guessed."""
    found = pin.ends(replace(OLD, system=system, python=python), TODAY)
    assert [(each.what, each.days, each.over) for each in found] == told


def test_end_on_the_day():
    """On its last day something is still supported."""
    (end, *_) = pin.ends(OLD, date(2026, 6, 10))
    assert (end.days, end.over, end.lts) == (0, False, date(2028, 6, 30))


@pytest.mark.parametrize("state", ["moved", "not pinned"])
def test_require_right(state):
    """A base that moved or has no pin fails a check, and nothing else."""
    pin.require([outcome(state)], check=False)
    with pytest.raises(AuditError) as caught:
        pin.require([outcome(), outcome(state)], check=True)
    assert caught.value.what == "One image is not as pinned."
    assert caught.value.why == f"{OLD.reference}: {state}"


def test_require_fresh():
    """A stale pin fails a check with its age."""
    pin.require([outcome(stale=True, age=31)], check=False)
    with pytest.raises(AuditError) as caught:
        pin.require([outcome(stale=True, age=31)], check=True)
    assert "pinned 31 days ago" in caught.value.why


@pytest.mark.parametrize(("state", "check"), [("not checked", True), ("refused", True), ("refused", False)])
def test_require_known(state, check):
    """What cannot be looked at is the machine's fault; a pin that was not checked is one in a check alone."""
    pin.require([outcome("not checked")], check=False)
    with pytest.raises(EngineError) as caught:
        pin.require([outcome(), outcome(state, detail="no such host")], check=check)
    assert caught.value.why == "no such host"


@pytest.mark.parametrize("state", ["as pinned", "pinned", "updated"])
def test_require_nothing(state):
    """What is as it should be ends with nothing."""
    pin.require([outcome(state)], check=True)
