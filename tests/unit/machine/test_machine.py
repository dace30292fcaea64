from __future__ import annotations

import subprocess
import sys

import pytest

from dockyard import machine
from dockyard.errors import EngineError
from dockyard.machine import Finding, corporate
from support import sentences
from unit.machine.conftest import facts

BASE = "python:3.12-slim-bookworm"
OWN = f"dockyard.local/{BASE}"


@pytest.fixture(autouse=True)
def open_network(monkeypatch):
    """No variables and no files of whoever runs the tests."""
    monkeypatch.setattr("dockyard.settings.sources.process_environment", dict)
    monkeypatch.setattr(corporate, "pip_configuration", lambda *_: {})


def states(findings) -> dict[str, str]:
    return {each.subject: each.state for each in findings}


def test_ready(door, wanted, doors):
    """On a machine that has everything, all is found twice, nothing is run, and nothing is lacking."""
    doors.daemon.there[BASE] = facts(BASE)

    looked, prepared = machine.look(wanted, doors), machine.prepare(wanted, doors, pytest.fail)

    assert looked == prepared
    assert list(states(looked)) == ["engine", "buildx", "base 3.12", "CA bundle", "package index", "proxy"]
    assert set(states(looked).values()) == {"found"}
    assert (door.calls, door.started, doors.buildx.calls) == ([], [], [])
    machine.require(looked)


def test_without_engine(door, wanted, doors, monkeypatch):
    """Without an engine the bases are not looked for; what is lacking is the engine."""
    doors.daemon.refusals = ["permission denied"]

    prepared = machine.prepare(wanted, doors, pytest.fail)

    assert states(prepared)["engine"] == "refused"
    assert "base 3.12" not in states(prepared)
    with pytest.raises(EngineError) as caught:
        machine.require(prepared)
    what, why, todo = sentences(caught.value)
    assert what == "This machine is not ready: engine."
    assert (why, todo) == (prepared[0].detail, prepared[0].todo)


@pytest.mark.parametrize(
    ("numbers", "detail"),
    [(None, "docker has none"), ((0, 12, 9), "docker has buildx 0.12.9")],
)
def test_buildx(door, wanted, doors, numbers, detail):
    """A buildx that is missing or too old is said, and what helps; one of the version needed is found."""
    doors.daemon.there[BASE] = facts(BASE)
    doors.buildx.numbers = numbers

    for findings, state in (
        (machine.look(wanted, doors), "missing"),
        (machine.prepare(wanted, doors, pytest.fail), "refused"),
    ):
        buildx = findings[1]
        assert (buildx.state, buildx.detail) == (state, f"{detail}; 0.13 or newer is needed.")
        helps = "invoke setup" if state == "missing" and numbers is None else "docs.docker.com"
        assert helps in buildx.todo

    doors.buildx.numbers = (0, 13, 0)
    assert states(machine.look(wanted, doors))["buildx"] == "found"


def finding(subject: str, state: str) -> Finding:
    return Finding(subject=subject, state=state, detail=f"{subject} is {state}.", todo="Do it.")


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        ("engine=found buildx=found base 3.12=done", ""),
        ("engine=missing buildx=found", "engine"),
        ("engine=found buildx=refused base 3.12=found", "buildx"),
        ("engine=found buildx=found base 3.12=done base 3.14=refused", "base 3.14"),
        ("engine=found buildx=found base 3.12=done network=refused", "network"),
        ("engine=refused buildx=missing", "engine, buildx"),
    ],
)
def test_require(given, lacking):
    """What is missing or refused keeps the machine from building, and all of it is named."""
    pairs = (pair.partition("=") for pair in given.replace("base ", "base_").split())
    findings = tuple(finding(subject.replace("_", " "), state) for subject, _, state in pairs)

    if not lacking:
        machine.require(findings)
        return
    with pytest.raises(EngineError) as caught:
        machine.require(findings)
    assert sentences(caught.value)[0] == f"This machine is not ready: {lacking}."
    assert caught.value.exit_code == 3


def test_base_for(wanted, doors):
    """The base of a build says whether it is official."""
    doors.daemon.there[OWN] = facts(OWN, dev_dockyard_base="assembled")

    base = machine.base_for("3.12", wanted, doors)

    assert (base.reference, base.official) == (OWN, False)


def test_import():
    """Importing the package brings none of the heavy libraries."""
    script = (
        "import sys, dockyard.machine; print(*{'docker', 'python_on_whales', 'pydantic', 'rich'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []
