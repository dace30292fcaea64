from __future__ import annotations

import os
import signal
import time

import pytest

from dockyard import run
from dockyard.engines import Engine
from dockyard.errors import EngineError, Interrupted, UnhealthyError
from dockyard.run import Asked, Rotation, Turn, rotate
from dockyard.run.rotation import OVERLAP
from dockyard.settings.key import SecretStr
from dockyard.state import State
from support import SECRET, FakeDaemon, chain, container, sentences

NEW = "brand-new-brand-new-brand-new-brand-new"


@pytest.fixture
def file(monkeypatch):
    """What the key file held, one text after another; a test may have the writing of one fail."""
    monkeypatch.setattr(rotate, "PAUSE", 0)
    written: list[str] = []

    def replace_file(_, volume, *, content, **rest):
        assert (volume, rest["name"], rest["group"]) == ("api-prod-key-0000", "api_key", 1000)
        written.append(content.decode())

    monkeypatch.setattr(rotate, "replace_file", replace_file)
    return written


@pytest.fixture
def rotation(project):
    """A rotation that has begun."""
    rotation = Rotation(State(project / ".dockyard"), "api-prod")
    rotation.begin(SecretStr(NEW), SecretStr(SECRET))
    return rotation


@pytest.fixture
def turn(recorder, rotation, file):
    """A turn with a service that reads its file at each request, or answers as a test says."""

    def follows(key: str) -> Asked:
        known = key in file[-1].split()
        return Asked(accepted=known, told="200: fine" if known else "401: no")

    def turn(ask=follows, **changed) -> Turn:
        return Turn(
            **{
                "facts": container(),
                "engine": Engine(recorder.buildx, FakeDaemon(recorder, container())),
                "rotation": rotation,
                "group": 1000,
                "signal": "",
                "seconds": 0.05,
                "ask": ask,
                "new": SecretStr(NEW),
                "old": SecretStr(SECRET),
                **changed,
            }
        )

    return turn


def test_whole(turn, file, rotation):
    """Both keys, then the new one alone; at no time a file without a key that somebody still uses."""
    run.introduce(turn())
    assert rotation.read().stage == OVERLAP
    run.retire(turn())

    assert file == [f"{NEW}\n{SECRET}\n", f"{NEW}\n"]
    assert rotation.read().unfinished == ""


def test_not_taken(turn, file, rotation):
    """A new key that is refused is withdrawn; no key is in the error."""

    def deaf(key: str) -> Asked:
        return Asked(accepted=key == SECRET, told="401: no")

    with pytest.raises(UnhealthyError) as caught:
        run.introduce(turn(deaf))

    what, why, todo = sentences(caught.value)
    assert what == "api-prod does not go by its new key file."
    assert "the new key must be accepted, and it answers 401: no" in why
    assert todo.endswith("The old key file was put back, and the old key is accepted.")
    assert file[-1] == f"{SECRET}\n"
    assert rotation.read() is None
    assert not [key for key in (NEW, SECRET) if key in chain(caught.value)]


def test_neither(turn, file):
    """An answer that says nothing of the key counts for nothing."""
    with pytest.raises(UnhealthyError) as caught:
        run.introduce(turn(lambda _: Asked(accepted=None, told="503: not yet")))

    assert caught.value.todo.endswith("The old key file could not be put back; `invoke rotate-key` tries again.")


def test_late(turn, file):
    """A service that needs a moment is given it, and must answer well three times in a row."""
    told = iter([False, True, False, *[True] * 99])

    def slow(_: str) -> Asked:
        return Asked(accepted=next(told), told="401: no")

    run.introduce(turn(slow, seconds=5))

    assert 99 - len(list(told)) >= 2 * rotate.IN_A_ROW - 1


def test_interrupted(turn, file, rotation):
    """Ctrl-C puts the old key back, once; the second stage puts both back."""
    pressed = []

    def press(key: str) -> Asked:
        if not pressed:
            pressed.append(True)
            raise KeyboardInterrupt
        return Asked(accepted=key in file[-1].split(), told="")

    with pytest.raises(Interrupted):
        run.introduce(turn(press))
    assert file[-1] == f"{SECRET}\n"
    assert rotation.read() is None

    rotation.begin(SecretStr(NEW), SecretStr(SECRET))
    pressed.clear()
    with pytest.raises(Interrupted, match="not removed"):
        run.retire(turn(press))
    assert file[-1] == f"{NEW}\n{SECRET}\n"
    assert rotation.read().stage == OVERLAP


def test_interrupted_once_both_are_accepted(turn, file, rotation, monkeypatch):
    """A Ctrl-C while the new key takes the place of the old one waits until it has, and says how it left both."""
    promote, kept = rotation.promote, []

    def pressed():
        os.kill(os.getpid(), signal.SIGINT)
        kept.append(promote())

    monkeypatch.setattr(rotation, "promote", pressed)
    with pytest.raises(Interrupted, match="not removed") as caught:
        run.introduce(turn())

    assert caught.value.todo == "`invoke rotate-key --finish` removes it."
    assert file[-1] == f"{NEW}\n{SECRET}\n"
    assert rotation.read().stage == OVERLAP
    assert kept[0].read_text().split() == [NEW]


def test_unwritable(turn, rotation, monkeypatch):
    """If the file cannot be written, the next command can go on: nothing is forgotten."""

    def refuse(*_, **__):
        raise EngineError("It was to be replaced.", "No space left on device", "Free some.")

    monkeypatch.setattr(rotate, "replace_file", refuse)
    with pytest.raises(EngineError, match="to be replaced") as caught:
        run.introduce(turn())

    assert caught.value.todo.endswith("could not be put back; `invoke rotate-key` tries again.")
    assert rotation.read().unfinished


def test_the_clock_jumps(turn, file, monkeypatch):
    """A wall clock that jumps by a day, ahead or back, neither ends a wait nor prolongs it."""
    jumps = iter([86400.0, -86400.0] * 1000)
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    told = iter([False, False, *[True] * 99])

    run.introduce(turn(lambda _: Asked(accepted=next(told), told=""), seconds=5))
    begun = time.monotonic()
    with pytest.raises(UnhealthyError):
        run.introduce(turn(lambda _: Asked(accepted=False, told="no"), seconds=0.05))

    assert time.monotonic() - begun < 5
