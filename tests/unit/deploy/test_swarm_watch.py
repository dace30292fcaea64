"""How long an update is watched, and when nobody waits any longer."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dockyard.deploy.swarm.stand import Asked
from dockyard.deploy.swarm.watch import watch
from dockyard.deploy.swarm.why import Reasons
from dockyard.engines.daemon import Daemon
from dockyard.engines.swarm import Swarm
from dockyard.engines.swarm_facts import read_service, read_task
from dockyard.errors import DeployError, EngineError
from support import recorded, sentences


def read(name):
    told = json.loads(recorded(f"swarm/{name}.json"))
    return read_service(told["service"]), tuple(read_task(each) for each in told["tasks"])


UPDATING, COMPLETED, BACK, BROUGHT_BACK = (
    read(name) for name in ("updating", "completed", "rollback-started", "rollback-completed")
)
FIRST = (replace(COMPLETED[0], update="", message=""), tuple(each for each in COMPLETED[1] if each.runs))
DIED = (FIRST[0], (replace(FIRST[1][0], state="failed", desired="shutdown"), FIRST[1][1]))

# The engine is not there.
SILENT = ("silent", ())


class Film(Swarm):
    """A swarm that is in one state after another, a second each; the last one stays."""

    def __init__(self, *states):
        super().__init__(daemon=Daemon())
        vars(self)["states"] = list(states)

    def service(self, name):
        if self.states[0] is SILENT:
            vars(self)["states"] = self.states[1:] or [SILENT]
            raise EngineError("It was asked.", "connection refused", "Run `invoke setup`.")
        return self.states[0] and self.states[0][0]

    def tasks(self, service):
        return (self.states.pop(0) if len(self.states) > 1 else self.states[0])[1]

    def nodes(self):
        return {}

    def task_log(self, task, *, lines):
        return ()


@pytest.fixture
def watched():
    """Watch a film; return how it ended, the seconds it took, and what was said."""

    def watched(*states, made_of=COMPLETED[0].made_of, wait=100.0, monitor=5.0):
        seconds, said = [0.0], []

        def pause(_):
            seconds[0] += 1

        film = Film(*states)
        # Of this node's engine nothing is asked: no container is here any more.
        vars(film)["daemon"] = type("Away", (), {"container": lambda *_: None})()
        asked = Asked(made_of=made_of, replicas=2, before=frozenset(), wait=wait, monitor=monitor)
        reasons = Reasons(film, "api")
        end = watch(
            "api", asked, swarm=film, reasons=reasons, announce=said.append, clock=lambda: seconds[0], pause=pause
        )
        return end, seconds[0], said

    return watched


BROKEN = next(each.made_of for each in BROUGHT_BACK[1] if each.failed)


def test_update(watched):
    """An update that Swarm has watched is complete when Swarm says so."""
    end, seconds, said = watched(UPDATING, UPDATING, COMPLETED)
    assert (end.verdict, seconds) == ("complete", 2)
    assert said == ["1 of 2 new tasks are healthy, 1 earlier still run", "2 of 2 new tasks are healthy"]


def test_first_release_is_watched_here(watched):
    """Swarm does not watch a first release, so it counts only after the seconds of an update."""
    end, seconds, _ = watched(FIRST)
    assert (end.verdict, seconds) == ("complete", 5)


def test_first_release_dies_while_it_is_watched(watched):
    """One that is healthy and then dies did not succeed."""
    end, seconds, _ = watched(FIRST, FIRST, FIRST, DIED)
    assert (end.verdict, seconds) == ("failed", 3)


def test_deadline(watched):
    """Nobody waits longer than was said."""
    end, seconds, _ = watched(UPDATING, wait=10)
    assert (end.verdict, seconds) == ("under way", 11)


def test_rollback_has_its_own_deadline(watched):
    """What is brought back has as long as the update had, from when it began."""
    end, seconds, _ = watched(*[UPDATING] * 8, *[BACK] * 8, BROUGHT_BACK, made_of=BROKEN, wait=10)
    assert (end.verdict, seconds) == ("rolled back", 16)
    end, seconds, _ = watched(*[UPDATING] * 8, BACK, made_of=BROKEN, wait=10)
    assert (end.verdict, seconds) == ("under way", 19)


def test_gone(watched):
    """A service that somebody removes is not waited for."""
    with pytest.raises(DeployError) as caught:
        watched(UPDATING, None)
    assert "is gone" in sentences(caught.value)[0]


def test_engine_restarted(watched):
    """An engine that does not answer for a while is asked again: the update goes on without us."""
    end, seconds, said = watched(UPDATING, SILENT, SILENT, COMPLETED)
    assert (end.verdict, seconds) == ("complete", 3)
    assert said[1] == "asking again, since there was no answer: connection refused"
    assert len(said) == 3


def test_engine_gone(watched):
    """One that does not answer until the deadline is an error of the engine."""
    with pytest.raises(EngineError, match="It was asked"):
        watched(UPDATING, SILENT, wait=10)
