from __future__ import annotations

import time

import pytest

from dockyard.errors import EngineError, UnhealthyError
from dockyard.run.wait import LAST_LINES, PAUSE, until_healthy
from support import FakeDaemon, container, sentences


class Clock:
    """A clock that only pausing moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


class Changing(FakeDaemon):
    """A container that changes from one question to the next; the last state stays. None is that it is gone."""

    def __init__(self, recorder, states, log=()):
        super().__init__(recorder, log=log)
        self.states = list(states)

    def container(self, name):
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        return None if state is None else container(**state)


@pytest.fixture
def clock():
    """A clock that only pausing moves."""
    return Clock()


@pytest.fixture
def wait(recorder, clock):
    """Wait for a container that goes through states."""

    def wait(*states, log=(), seconds=60.0, **others):
        daemon = Changing(recorder, states, log)
        return until_healthy(
            "api-prod", daemon=daemon, seconds=seconds, clock=lambda: clock.now, pause=clock.pause, **others
        )

    return wait


@pytest.fixture
def hopeless(wait):
    """Wait in vain, and return the lines that say why."""

    def hopeless(*states, **others) -> list[str]:
        with pytest.raises(UnhealthyError) as caught:
            wait(*states, **others)
        what, why, _ = sentences(caught.value)
        assert what == "api-prod did not become healthy."
        return why.splitlines()

    return hopeless


STARTING = {"health": "starting"}


def test_healthy(wait, clock):
    """The seconds until it is healthy are returned, and each phase is told once."""
    phases = []
    created = {"status": "created", "health": ""}

    assert wait(created, STARTING, STARTING, {}, announce=phases.append) == pytest.approx(3 * PAUSE)
    assert phases == ["created", "starting"]
    assert clock.pauses == [PAUSE] * 3


def test_at_once(wait, clock):
    """A container that is healthy already is not waited for."""
    assert wait({}) == 0
    assert clock.pauses == []


def test_no_health_check(wait, clock):
    """Without a health check a container counts as healthy once it runs."""
    assert wait({"status": "created", "health": ""}, {"health": ""}) == pytest.approx(PAUSE)


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        ({"status": "exited", "exit_code": 3}, "It exited with code 3."),
        ({"status": "exited", "exit_code": 0}, "It exited with code 0."),
        ({"status": "dead", "exit_code": 1}, "It exited with code 1."),
        ({"status": "exited", "exit_code": 137, "oom_killed": True}, "It was killed for memory: its limit is 64 MiB."),
        ({"oom_killed": True, "restarts": 4}, "It was killed for memory: its limit is 64 MiB."),
        (
            {"status": "restarting", "restarts": 0, "exit_code": 1},
            "It exits and is restarted, 0 times so far; last exit code 1.",
        ),
        (
            {"health": "starting", "restarts": 2, "exit_code": 5},
            "It exits and is restarted, 2 times so far; last exit code 5.",
        ),
        ({"health": "healthy", "restarts": 1}, "It exits and is restarted, 1 times so far; last exit code 0."),
        ({"health": "unhealthy"}, "Its health check failed too often."),
    ],
)
def test_hopeless(hopeless, clock, state, cause):
    """As soon as there is no hope the wait ends, with the cause."""
    assert hopeless(STARTING, state)[0] == cause
    assert clock.pauses == [PAUSE]


def test_evidence(hopeless):
    """The error holds what the engine says, the last health output and the last log lines."""
    state = {"status": "exited", "error": "no such device", "health_output": "503 not ready"}

    assert hopeless(state, log=["one", "two"]) == [
        "It exited with code 0.",
        "The engine says: no such device",
        "Health check: 503 not ready",
        "Last log lines:",
        "  | one",
        "  | two",
    ]


def test_last_lines(hopeless):
    """Of a long log the last lines are shown."""
    lines = hopeless({"status": "dead"}, log=[str(number) for number in range(99)])

    assert lines[2:] == [f"  | {number}" for number in range(99 - LAST_LINES, 99)]


def test_silent(hopeless):
    """A container that logged nothing is said to have."""
    assert hopeless({"status": "dead"})[-1] == "It logged nothing."


@pytest.mark.parametrize("state", [STARTING, {"status": "created", "health": ""}, {"status": "paused", "health": ""}])
def test_deadline(hopeless, clock, state):
    """A container that is never healthy nor hopeless is waited for until the deadline, and not much longer."""
    (cause, _) = hopeless(state, seconds=2.5)

    assert cause == f"It was still {state['health'] or state['status']} after 2.5 s."
    assert 2.5 < clock.now - 100 < 2.5 + 2 * PAUSE


@pytest.mark.parametrize("states", [(None,), (STARTING, None)])
def test_gone(wait, states):
    """A container that is removed meanwhile is not waited for."""
    with pytest.raises(UnhealthyError) as caught:
        wait(*states)

    assert sentences(caught.value)[0] == "api-prod is gone."


def test_engine_gone(wait):
    """An engine that goes away meanwhile is told as such."""
    with pytest.raises(EngineError) as caught:
        wait(STARTING, EngineError("The Docker engine does not answer.", "refused", "Run `invoke setup`."))

    assert caught.value.what == "The Docker engine does not answer."


def test_the_clock_jumps(recorder, monkeypatch):
    """A wall clock that jumps by a day, ahead or back, changes nothing of a deadline."""
    jumps = iter([86400.0, -86400.0] * 1000)
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    starting = [STARTING] * 3

    assert until_healthy("api-prod", daemon=Changing(recorder, [*starting, {}]), seconds=5, pause=lambda _: None) < 5
    with pytest.raises(UnhealthyError):
        until_healthy("api-prod", daemon=Changing(recorder, [STARTING]), seconds=0.01)
