from __future__ import annotations

import time

import pytest

from dockyard.engines.containers import Container
from dockyard.engines.facts import HealthCheck
from dockyard.engines.sockets import Socket
from dockyard.errors import EngineError, UnhealthyError
from dockyard.run import phases
from dockyard.run.wait import LONGEST, MISBOUND_SECONDS, PAUSE, SHARE, until_healthy
from support import SECRET, FakeDaemon, container, sentences


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
    """Wait in vain, and return in what state it ended, and the lines that say why."""

    def hopeless(*states, **others) -> list[str]:
        with pytest.raises(UnhealthyError) as caught:
            wait(*states, **others)
        what, why, _ = sentences(caught.value)
        assert what.startswith("api-prod did not become healthy: ")
        return [what.removeprefix("api-prod did not become healthy: "), *why.splitlines()]

    return hopeless


@pytest.fixture
def listens(monkeypatch):
    """Let sockets listen in the container."""

    def listens(*sockets: Socket) -> None:
        monkeypatch.setattr(phases, "from_host", lambda facts: sockets if facts.pid else None)

    return listens


STARTING = {"health": "starting"}


def test_healthy(wait, clock):
    """The seconds until it is healthy are returned, and each phase is told once."""
    phases = []
    created = {"status": "created", "health": ""}

    assert wait(created, STARTING, STARTING, {}, announce=phases.append) == pytest.approx(3 * PAUSE)
    assert phases == ["created", "starting"]
    assert clock.pauses == [PAUSE] * 3


def test_patient(wait, clock):
    """Pauses grow with the time that passed, so that a long wait asks seldom and a short one is exact."""
    wait(*[STARTING] * 100, {})

    assert clock.pauses[0] == PAUSE
    assert max(clock.pauses) == pytest.approx(LONGEST)
    assert all(pause <= max(PAUSE, SHARE * sum(clock.pauses[:at]) + 1e-9) for at, pause in enumerate(clock.pauses))


def test_quiet(wait):
    """Where nothing changes something is said every ten seconds, with the last health check."""
    told = []
    checks = (HealthCheck(code=1, seconds=0.5, output="503"),)

    with pytest.raises(UnhealthyError):
        wait({"health": "starting", "checks": checks}, seconds=35.0, announce=told.append)

    assert told[0] == "starting"
    assert len(told) == 4
    assert told[1].startswith(
        "still waiting after 10 of 35 s: starting; last health check: exit code 1 after 0.5 s: 503"
    )


def test_phases(wait, listens, monkeypatch):
    """Process, port, liveness and readiness are told with their time, each once."""
    told, asked = [], []

    def status(address: str, port: int, route: str, seconds: float) -> int:
        asked.append(route)
        return 200 if route == "/health" or len(asked) > 3 else 503

    listens(Socket(address="0.0.0.0", port=8000))
    monkeypatch.setattr(phases, "status", status)
    running = {"health": "starting", "pid": 7}

    wait(STARTING, *[running] * 30, {"pid": 7}, announce=told.append, routes=("/health", "/ready"))

    assert [each.split(" after ")[0] for each in told] == ["starting", "process up", "port bound", "live", "ready"]
    assert all(each.endswith(" s") for each in told[1:])
    assert asked == ["/health", "/ready", "/ready", "/ready"]


@pytest.mark.parametrize("socket", [Socket(address="127.0.0.1", port=8000), Socket(address="0.0.0.0", port=9000)])
def test_out_of_reach(hopeless, listens, clock, socket):
    """A container that is healthy to itself and reached by nobody is not healthy, long before the deadline."""
    listens(socket)

    state, *_ = hopeless({"pid": 7, "id": "old-1"})

    assert state == "its health check passes, but nobody outside reaches it."
    assert MISBOUND_SECONDS <= clock.now - 100 < 2 * MISBOUND_SECONDS


def test_no_health_check_no_port(wait, listens, clock):
    """Without a health check its published port decides."""
    listens()
    with pytest.raises(UnhealthyError):
        wait({"health": "", "pid": 7}, seconds=3.0)
    assert clock.now - 100 == pytest.approx(3.0)

    listens(Socket(address="::", port=8000))
    wait({"health": "", "pid": 7})


def test_image_gone(recorder, clock):
    """A container whose image was removed meanwhile is not waited for."""
    daemon = Changing(recorder, [STARTING])
    daemon._images.clear()

    with pytest.raises(UnhealthyError) as caught:
        until_healthy("api-prod", daemon=daemon, seconds=60, clock=lambda: clock.now, pause=clock.pause)

    what, why, todo = sentences(caught.value)
    assert what == "api-prod did not become healthy: its image tiny-service:prod is gone."
    assert "its image tiny-service:prod was removed from the engine" in why
    assert todo == "Run `invoke build`."
    assert clock.now - 100 < 2


def test_no_secret(recorder, clock):
    """A key that the service logged or its health check printed is not in the error."""
    state = {"status": "exited", "checks": (HealthCheck(code=1, seconds=0, output=f"key {SECRET}"),)}
    daemon = Changing(recorder, [state], [f"given {SECRET}", "http://me:pass@host/"])
    daemon.files = {"run/secrets/api_key": f"{SECRET}\n".encode()}

    with pytest.raises(UnhealthyError) as caught:
        until_healthy("api-prod", daemon=daemon, seconds=60, clock=lambda: clock.now, pause=clock.pause)

    assert SECRET not in str(caught.value)
    assert ":pass@" not in str(caught.value)
    assert str(caught.value).count("[REDACTED]") == 3


def test_at_once(wait, clock):
    """A container that is healthy already is not waited for."""
    assert wait({}) == 0
    assert clock.pauses == []


def test_no_health_check(wait, clock):
    """Without a health check a container counts as healthy once it runs."""
    assert wait({"status": "created", "health": ""}, {"health": ""}) == pytest.approx(PAUSE)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"status": "exited", "exit_code": 3}, "it ended after 0.0 s with exit code 3."),
        ({"status": "exited", "exit_code": 0}, "it ended after 0.0 s with exit code 0."),
        ({"status": "dead", "exit_code": 1}, "it ended after 0.0 s with exit code 1."),
        (
            {"status": "exited", "exit_code": 137, "oom_killed": True},
            "it was killed for memory (exit code 137 (SIGKILL: killed by the kernel or by somebody)).",
        ),
        ({"oom_killed": True, "restarts": 4}, "it was killed for memory."),
        ({"status": "restarting", "exit_code": 1}, "it ends and is started again, last exit code 1."),
        (
            {"status": "restarting", "exit_code": 1, "restarts": 2},
            "it ends and is started again, 2 times so far, last exit code 1.",
        ),
        ({"health": "starting", "restarts": 2}, "it ends and is started again, 2 times so far."),
        ({"health": "healthy", "restarts": 1}, "it ends and is started again, once so far."),
        (
            {"status": "created", "error": "no such device", "exit_code": 128},
            "the engine could not start it, exit code 128.",
        ),
        ({"health": "unhealthy"}, "its health check failed too often."),
        (
            {"health": "starting", "checks": (HealthCheck(code=127, seconds=0, output="sh: 1: curl: not found"),)},
            "its health check cannot pass.",
        ),
    ],
)
def test_hopeless(hopeless, clock, state, told):
    """As soon as there is no hope the wait ends, and says in what state."""
    assert hopeless(STARTING, state)[0] == told
    assert clock.pauses == [PAUSE]


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ((), "No known cause: nothing that was seen names one."),
        (
            ("ModuleNotFoundError: No module named 'torch'",),
            "Likely cause: it crashed on import of torch",
        ),
    ],
)
def test_started_again(hopeless, listens, monkeypatch, log, cause):
    """Of one that runs again the engine's events know the exit code; that its new life has no port yet says nothing."""
    listens()
    monkeypatch.setattr(Container, "last_end", lambda _, *, since: 9)
    again = {"health": "starting", "restarts": 1, "pid": 7, "finished": "2026-11-23T08:00:10Z"}
    monkeypatch.setattr("dockyard.run.evidence.listening", lambda *_: ())

    told = hopeless(STARTING, again, log=log)

    assert told[0] == "it ends and is started again, once so far, last exit code 9."
    assert told[1].startswith(cause)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [(200, "Likely cause: its ready route has answered 200, and only its health check fails"), (503, "No known cause")],
)
def test_check_alone(hopeless, listens, monkeypatch, answer, cause):
    """A health check that fails while the ready route answers is said to be at fault; else nothing is known."""
    listens(Socket(address="0.0.0.0", port=8000))
    monkeypatch.setattr(phases, "status", lambda _, __, route, ___: 200 if route == "/health" else answer)
    running = {"health": "starting", "pid": 7}
    failing = {"health": "unhealthy", "pid": 7, "checks": (HealthCheck(code=1, seconds=0.1, output=""),)}
    monkeypatch.setattr("dockyard.run.evidence.listening", lambda *_: (Socket(address="0.0.0.0", port=8000),))
    monkeypatch.setattr("dockyard.run.evidence.refusals", lambda _: {})

    told = hopeless(*[running] * 30, failing, routes=("/health", "/ready"))

    assert told[0] == "its health check failed too often."
    assert told[1].startswith(cause)


def test_late_news(recorder, clock):
    """The engine learns of a kill for memory a moment after the end; the error tells it."""
    ended = {"status": "exited", "exit_code": 137}
    daemon = Changing(recorder, [ended, ended | {"oom_killed": True}])

    with pytest.raises(UnhealthyError) as caught:
        until_healthy("api-prod", daemon=daemon, seconds=60, clock=lambda: clock.now, pause=clock.pause)

    assert "it was killed for memory" in caught.value.what
    assert caught.value.why.startswith("Likely cause: killed for memory: its limit is 64 MiB.")


@pytest.mark.parametrize("state", [STARTING, {"status": "created", "health": ""}, {"status": "paused", "health": ""}])
def test_deadline(hopeless, clock, state):
    """A container that is never healthy nor hopeless is waited for until the deadline, and not longer."""
    told = hopeless(state, seconds=2.5)[0]

    assert told == f"it was still {state['health'] or state['status']} after 2.5 s."
    assert clock.now - 100 == pytest.approx(2.5)


@pytest.mark.parametrize("states", [(None,), (STARTING, None)])
def test_gone(wait, states):
    """A container that is removed meanwhile is not waited for."""
    with pytest.raises(UnhealthyError) as caught:
        wait(*states)

    assert sentences(caught.value)[0] == "api-prod did not become healthy: it is gone."


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
