from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest

from dockyard.errors import EngineError
from dockyard.machine import assemble, bases, interpreters
from dockyard.machine.debian import Debian
from dockyard.machine.search import Search
from support import sentences
from unit.machine.conftest import facts


def plain(python: str) -> str:
    return f"python:{python}-slim-bookworm"


def own(python: str) -> str:
    return f"dockyard.local/{plain(python)}"


@pytest.fixture
def shop(monkeypatch):
    """A machine with CPython 3.11 to 3.13, on which assembling writes down what is assembled."""
    made: list[str] = []
    monkeypatch.setattr(
        interpreters,
        "find",
        lambda python, home, environment: (
            interpreters.Interpreter(prefix=None, version=f"{python}.1", kind="pyenv") if python != "3.14" else None
        ),
    )

    @contextmanager
    def workshop(suite, root):
        made.append(suite)
        yield Debian(suite=suite, layer=None, created=""), None

    monkeypatch.setattr(assemble, "workshop", workshop)
    monkeypatch.setattr(assemble, "suite_of", lambda wanted: "bookworm")
    monkeypatch.setattr(assemble, "assemble", lambda interpreter, *_: made.append(interpreter.minor) or own(made[-1]))
    return made


@pytest.fixture
def seek(wanted, doors):
    """Return a search for some Pythons."""
    return lambda *pythons: Search(wanted=replace(wanted, pythons=pythons), engine=doors, environment={})


def prepare(search: Search):
    announced: list[str] = []
    return {each.subject: each for each in bases.prepare(search, announced.append)}, announced


def test_one_workshop(shop, seek, doors):
    """Bases of several Pythons share one Debian part, and are told in the order they were asked for."""
    doors.daemon.there = {plain("3.10"): facts(plain("3.10"))}

    lines, announced = prepare(seek("3.13", "3.11", "3.10", "3.12"))

    assert list(lines) == ["base 3.13", "base 3.11", "base 3.10", "base 3.12"]
    assert [each.state for each in lines.values()] == ["done", "done", "found", "done"]
    assert lines["base 3.11"].detail == (
        f"{own('3.11')} (CPython 3.11.1 on Debian bookworm; assembled on a machine, not the official image)"
    )
    assert shop == ["bookworm", "3.13", "3.11", "3.12"]
    assert len(announced) == 4


def test_order(shop, seek, doors):
    """A base that is here is taken before one that is pulled, that before an assembled one; only the last is made."""
    doors.daemon.there = {plain("3.11"): facts(plain("3.11")), own("3.12"): facts(own("3.12"))}
    doors.daemon.registry = {plain("3.11"): "sha256:2", plain("3.13"): "sha256:2"}

    lines, _ = prepare(seek("3.11", "3.12", "3.13"))

    assert {subject: each.state for subject, each in lines.items()} == {
        "base 3.11": "found",
        "base 3.12": "found",
        "base 3.13": "done",
    }
    assert doors.buildx.calls == [("pull", plain("3.13"))]
    assert shop == []


def test_official_again(shop, seek, doors):
    """Where only an assembled base is here and the registry answers again, the official one comes."""
    doors.daemon.there = {own("3.12"): facts(own("3.12"))}
    doors.daemon.registry = {plain("3.12"): "sha256:2"}

    lines, _ = prepare(seek("3.12"))

    assert lines["base 3.12"].detail == f"{plain('3.12')} (pulled from the public registry)"


def test_idempotent(shop, seek, doors):
    """What is found is found again, and nothing is done for it."""
    doors.daemon.there = {own("3.12"): facts(own("3.12"))}

    first, second = prepare(seek("3.12")), prepare(seek("3.12"))

    assert first == second
    assert (shop, doors.buildx.calls) == ([], [])


def test_no_interpreter(shop, seek):
    """A Python of which this machine has no CPython is refused with the reason; the others are made."""
    lines, _ = prepare(seek("3.14", "3.12"))

    assert (lines["base 3.12"].state, lines["base 3.14"].state) == ("done", "refused")
    assert "This machine has no CPython 3.14" in lines["base 3.14"].detail
    assert f"There is no {plain('3.14')}." in lines["base 3.14"].detail
    assert "pyenv install 3.14" in lines["base 3.14"].todo


def test_one_fails(shop, seek, monkeypatch):
    """A CPython that does not run in its base refuses that base, and no other."""

    def fail(interpreter, wanted, *_):
        if interpreter.minor == "3.12":
            raise EngineError("CPython 3.12.1 does not run.", "GLIBC_2.38 not found", "Load it.")
        return wanted

    monkeypatch.setattr(assemble, "assemble", fail)

    lines, _ = prepare(seek("3.12", "3.13"))

    assert (lines["base 3.12"].state, lines["base 3.13"].state) == ("refused", "done")
    assert lines["base 3.12"].detail == "CPython 3.12.1 does not run. GLIBC_2.38 not found"
    assert lines["base 3.12"].todo == "Load it."


def test_no_debian(shop, seek, doors, monkeypatch):
    """Where the Debian part cannot be made, every base says so, and why none came from elsewhere."""
    doors.daemon.registry = {plain("3.12"): EngineError("It was asked.", "no such host", "Look.")}

    def workshop(suite, root):
        raise EngineError("Debian bookworm cannot be assembled here.", "No mirror.", "Save it elsewhere.")

    monkeypatch.setattr(assemble, "workshop", workshop)

    lines, _ = prepare(seek("3.12", "3.13"))

    for line in lines.values():
        assert line.state == "refused"
        assert line.detail == (
            "Debian bookworm cannot be assembled here. No mirror. Asking the public registry failed (no such host)."
        )
        assert line.todo == "Save it elsewhere."


def test_look(shop, seek, doors):
    """Looking says what is here and how the rest would come; no registry is asked."""
    doors.daemon.there = {plain("3.11"): facts(plain("3.11")), own("3.12"): facts(own("3.12"))}

    lines = bases.look(seek("3.11", "3.12", "3.13", "3.14"))

    assert [each.state for each in lines] == ["found", "found", "missing", "missing"]
    assert "(official)" in lines[0].detail
    assert "not the official image" in lines[1].detail
    assert "assemble it from CPython 3.13.1" in lines[2].detail
    assert "assemble" not in lines[3].detail
    assert doors.daemon.asked == []
    assert (shop, doors.buildx.calls) == ([], [])


def test_base_for(shop, seek, doors):
    """A build gets the official base that is here before an assembled one, and asks no registry for it."""
    doors.daemon.there = {own("3.12"): facts(own("3.12"))}
    assert bases.base_for(seek(), "3.12").reference == own("3.12")

    doors.daemon.there[plain("3.12")] = facts(plain("3.12"))
    assert bases.base_for(seek(), "3.12").reference == plain("3.12")
    assert doors.daemon.asked == []


def test_base_for_pulls(shop, seek, doors):
    """A build without a base here gets one from the registry."""
    doors.daemon.registry = {plain("3.12"): "sha256:2"}

    assert bases.base_for(seek(), "3.12").reference == plain("3.12")
    assert doors.buildx.calls == [("pull", plain("3.12"))]


def test_base_for_none(shop, seek, doors):
    """Without any base the reason is that of the registry, and the next step is setup; nothing is assembled."""
    doors.daemon.registry = {plain("3.12"): EngineError("It was asked.", "no such host", "Look.")}

    with pytest.raises(EngineError) as caught:
        bases.base_for(seek(), "3.12")

    what, why, todo = sentences(caught.value)
    assert "Python 3.12" in what
    assert "no such host" in why
    assert "invoke setup --python 3.12" in todo
    assert shop == []
