from __future__ import annotations

import json
import os
import re
import signal
import threading
from dataclasses import replace

import pytest

from dockyard import run
from dockyard.engines import Engine
from dockyard.engines.daemon import CARRIED
from dockyard.errors import DeployError, EngineError, Interrupted, UnhealthyError
from dockyard.plan import production_plan
from dockyard.run import Order, Releases, remains, wait
from dockyard.run.swap import Direct, Step, discard
from dockyard.settings import load
from dockyard.settings.key import Key, SecretStr
from dockyard.state import State
from support import IMAGE, KEY_VOLUME, SECRET, FakeDaemon, container, sentences

USER = f"{os.getuid()}:{os.getgid()}"
HEALTHY = ({"health": "healthy", "image_id": "sha256:1"},)


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it, so nothing is undone."""


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """Wait without pausing."""
    monkeypatch.setattr(wait, "PAUSE", 0)


@pytest.fixture
def plan(project):
    """The production container on a free port, for whoever runs the tests."""
    settings = load({"run.port": 0, "run.user": USER, "run.wait": 5}, start=project, environment={}).settings
    return production_plan(settings, token="new")


@pytest.fixture
def state(project):
    """The records of the project."""
    return State(project / ".dockyard")


@pytest.fixture
def order(plan):
    """Make an order that proves nothing, or what a test says."""

    def order(prove=lambda _: ({"probe": "health", "verdict": "pass"},), **changed) -> Order:
        key = Key(value=SecretStr(SECRET), origin="a test")
        return Order(**{"plan": plan, "key": key, "prove": prove, "route": "/ready", "watch": 0, "keep": 5, **changed})

    return order


@pytest.fixture
def engine(recorder):
    """A fake engine, with containers and fates as a test says."""

    def engine(*there, fates=HEALTHY) -> Engine:
        return Engine(recorder.buildx, FakeDaemon(recorder, *there, images=[f"{IMAGE}:prod"], fates=fates))

    return engine


def names(engine: Engine) -> dict[str, str]:
    """The containers that are there: name to status."""
    return engine.daemon.names()


def verdicts(state: State) -> list[str]:
    """What is thought of the releases."""
    return [each.verdict for each in Releases(state, "api-prod").all()]


def test_first(engine, order, state, recorder):
    """A first release proves a candidate, is tagged, started and written down; the key is in no record."""
    on = engine()
    started = run.replace(order(), engine=on, state=state)

    assert (started.release, started.replaced, started.outage) == (1, False, None)
    assert names(on) == {"api-prod": "running"}
    assert len(on.daemon.kept) == 1
    assert ["image", "tag", "sha256:1", f"{IMAGE}:release-1"] in recorder.calls
    made = [call[call.index("--name") + 1] for call in recorder.calls if call[0] == "create"]
    assert made == ["api-prod-candidate", "api-prod-next"]
    (path,) = (state.folder / "releases").iterdir()
    told = json.loads(path.read_text())
    assert (told["verdict"], told["digest"], told["checks"][0]["verdict"]) == ("good", "sha256:1", "pass")
    assert SECRET not in path.read_text() + json.dumps(recorder.calls)
    assert not (state.folder / "run" / "api-prod.json").exists()


def test_candidate_as_production(engine, order, state, recorder):
    """The candidate differs from the other in name, key volume, logs folder, role and restart, and in nothing else."""
    run.replace(order(), engine=engine(), state=state)
    candidate, made = ([*call] for call in recorder.calls if call[0] == "create")

    differ = [(one, other) for one, other in zip(candidate, made, strict=True) if one != other]
    assert len(differ) == 5
    assert ("dev.dockyard.role=candidate", "dev.dockyard.role=prod") in differ
    assert ("no", "on-failure:5") in differ
    assert not any("/logs:/app/logs:rw" in one and "candidates" not in one for one, _ in differ)


@pytest.mark.parametrize("error", [UnhealthyError("It lies.", "a", "b."), EngineError("It broke.", "a", "b.")])
def test_candidate_fails(engine, order, state, recorder, error):
    """A candidate that fails leaves the old one as it was, and no trace but what it said."""

    def prove(_):
        raise error

    on = engine(container())
    with pytest.raises(type(error)) as caught:
        run.replace(order(prove), engine=on, state=state)

    assert "The old container was not touched." in sentences(caught.value)[2]
    assert names(on) == {"api-prod": "running"}
    assert not {"stop", "rename"} & {call[1] for call in recorder.calls}
    assert on.daemon.image(f"{IMAGE}:release-1") is None
    assert verdicts(state) == []


def test_taken_back(engine, order, state):
    """One that dies after it took over is taken back: exit code 7, the old one runs, and it is remembered."""
    on = engine(container(), fates=HEALTHY)
    real = on.daemon.container

    def dying(name):
        facts = real(name)
        ended = facts and facts.name == "api-prod" and facts.id.startswith("new-") and facts.status == "running"
        return replace(facts, status="exited", exit_code=3) if ended else facts

    on.daemon.container = dying
    with pytest.raises(DeployError) as caught:
        run.replace(order(), engine=on, state=state)

    assert caught.value.exit_code == 7
    assert "The old container runs again." in sentences(caught.value)[2]
    assert names(on) == {"api-prod": "running"}
    assert verdicts(state) == ["failed"]


def test_silence_in_the_watch(engine, order, state, monkeypatch):
    """What clients missed while the new one was watched counts, until the old one is back."""
    silent, missed = threading.Event(), threading.Semaphore(0)

    def answers(*_):
        missed.release() if silent.is_set() else None
        return not silent.is_set()

    def prove(facts):
        if facts.name != "api-prod":
            return ()
        silent.set()
        for _ in range(3):
            assert missed.acquire(timeout=30)
        raise UnhealthyError("It is silent.", "a", "b.")

    monkeypatch.setattr("dockyard.run.prober.answers", answers)
    monkeypatch.setattr("dockyard.run.rollout.CALM", 0.001)
    monkeypatch.setattr(remains, "keep", lambda *_, **__: silent.clear())
    with pytest.raises(DeployError) as caught:
        run.replace(order(prove, watch=1), engine=engine(container()), state=state)

    failed, asked = map(int, re.search(r"Meanwhile (\d+) of (\d+) requests failed", str(caught.value)).groups())
    assert 3 <= failed < asked


def test_ctrl_c(engine, order, state):
    """Ctrl-C while the candidate is asked undoes all."""

    def prove(_):
        raise KeyboardInterrupt

    on = engine(container())
    with pytest.raises(Interrupted) as caught:
        run.replace(order(prove), engine=on, state=state)

    assert caught.value.todo == "The old container was not touched."
    assert names(on) == {"api-prod": "running"}


@pytest.mark.parametrize("at", ["keep what it said", "stop", "rename"])
def test_ctrl_c_on_the_way_back(engine, order, state, recorder, monkeypatch, at):
    """Ctrl-C while a failed release is taken back does not stop that: the old one runs again."""
    on = engine(container(), fates=HEALTHY)
    pressed = []

    def press(*_, **__):
        pressed.append(os.kill(os.getpid(), signal.SIGINT))

    def prove(facts):
        if facts.name != "api-prod":
            return ()
        if at == "keep what it said":
            monkeypatch.setattr(remains, "keep", press)
        else:
            real = getattr(recorder.buildx, at)
            monkeypatch.setattr(recorder.buildx, at, lambda *given, **named: (press(), real(*given, **named)))
        raise UnhealthyError("It lies.", "a", "b.")

    with pytest.raises(DeployError):
        run.replace(order(prove, watch=1), engine=on, state=state)

    assert pressed
    assert names(on) == {"api-prod": "running"}
    assert not (state.folder / "run" / "api-prod.json").exists()


def test_nothing_to_recover(engine, plan, state):
    """Where nothing was cut off nothing is unsettled."""
    assert run.unsettled(plan, engine(container()), state) is False


@pytest.mark.parametrize("there", [(), (container(),)], ids=["first", "replace"])
def test_killed_with_candidate(engine, order, plan, state, there):
    """After a kill at the gate the candidate goes, and the one that served was not touched."""

    def prove(_):
        raise Killed

    on = engine(*there)
    with pytest.raises(Killed):
        run.replace(order(prove), engine=on, state=state)
    assert run.unsettled(plan, on, state)
    told = run.recover(plan, engine=on, state=state)

    assert "was cut off at the step `prove the candidate`. It was undone." in told
    assert names(on) == {each.name: "running" for each in there}
    assert on.daemon.image(f"{IMAGE}:release-1") is None
    assert not run.unsettled(plan, on, state)


def test_killed_in_watch(engine, order, plan, state):
    """A new one that had taken over and is healthy stays: the release is written down, the old one goes."""
    asked = []

    def prove(facts):
        asked.append(facts.name)
        if len(asked) == 2:
            raise Killed
        return ()

    on = engine(container())
    with pytest.raises(Killed):
        run.replace(order(prove, watch=1), engine=on, state=state)
    told = run.recover(plan, engine=on, state=state)

    assert asked == ["api-prod-candidate", "api-prod"]
    assert "was cut off at the step `watch the new one`. The new container had taken over" in told
    assert names(on) == {"api-prod": "running"}
    assert verdicts(state) == ["good"]
    assert not run.unsettled(plan, on, state)


def test_killed_on_the_way_back(engine, order, plan, state, monkeypatch):
    """A new one that was found bad is not kept after a kill, however healthy it looks."""

    def prove(facts):
        if facts.name == "api-prod":
            raise UnhealthyError("It lies.", "a", "b.")
        return ()

    def die(*_, **__):
        raise Killed

    on = engine(container())
    with monkeypatch.context() as patch:
        patch.setattr("dockyard.run.remains.keep", die)
        with pytest.raises(Killed):
            run.replace(order(prove, watch=1), engine=on, state=state)
    told = run.recover(plan, engine=on, state=state)

    assert "It was undone. The old container runs again." in told
    assert on.daemon.container("api-prod").id == "old-1"
    assert names(on) == {"api-prod": "running"}
    assert verdicts(state) == []


def killed_at(engine, order, state, monkeypatch, call, known, prove=lambda _: ()):
    """A replace that is killed as soon as docker has been told to stop or start a container."""
    real = getattr(engine.buildx, call)

    def die(container, **named):
        real(container, **named)
        if container == known:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(engine.buildx, call, die)
        with pytest.raises(Killed):
            run.replace(order(prove, watch=1), engine=engine, state=state)


def lies(facts):
    """Find the candidate good, and the one that took over not."""
    if facts.name == "api-prod":
        raise UnhealthyError("It lies.", "a", "b.")
    return ()


def test_killed_after_the_old_one_was_started(engine, order, plan, state, monkeypatch):
    """The old one that a killed command had started again is waited for, and said to have been brought back."""
    on = engine(container())
    killed_at(on, order, state, monkeypatch, "start", "old-1", lies)
    on.daemon._fates["old-1"] = [{"health": "starting"}] * 5 + [{"health": "healthy"}]
    told = run.recover(plan, engine=on, state=state)

    assert "was cut off at the step `start the new one`. It was undone. The old container runs again." in told
    assert on.daemon.container("api-prod").health == "healthy"


def test_killed_while_the_old_one_ends(engine, order, plan, state, recorder, monkeypatch):
    """An old one that was told to stop and still answers does not pass for one that serves: it ends, and is started."""
    on = engine(container())
    killed_at(on, order, state, monkeypatch, "stop", "old-1")
    on.daemon.names()
    on.daemon._there["old-1"] = replace(on.daemon._there["old-1"], status="running")
    del recorder.calls[:]
    told = run.recover(plan, engine=on, state=state)

    assert "It was undone. The old container runs again." in told
    calls = [call[1:] for call in recorder.calls]
    assert calls.index(["stop", "--time", "10", "old-1"]) < calls.index(["start", "old-1"])
    assert names(on) == {"api-prod": "running"}


def test_killed_while_a_key_was_written(engine):
    """What carried a key into its volume goes with that volume; another service's stays."""
    carriers = {"lucid_bell": "api-prod-key-1", "calm_kilby": "api-key-1"}
    there = [container(id=name, name=name, status="created", mounts={CARRIED: carriers[name]}) for name in carriers]
    on = engine(container(), *there)
    on.daemon.kept |= set(carriers.values())
    discard("api-prod", IMAGE, on)

    assert set(names(on)) == {"api-prod", "calm_kilby"}
    assert on.daemon.kept == {KEY_VOLUME, "api-key-1"}


class Switch(Direct):
    """Sends requests to one container, as a gateway does: the new one starts beside the old one."""

    def __init__(self) -> None:
        stop, *start = Direct.steps
        self.to = "old-1"
        self.steps = (*start, Step(name="send requests to the new one", act=self._send), stop)

    def _send(self, swap) -> None:
        self.to = swap.incoming

    def reaches(self, facts) -> bool:
        return facts.id == self.to


@pytest.mark.parametrize("traffic", [Direct, Switch])
def test_an_old_one_that_was_broken(engine, order, state, traffic):
    """One that was broken before the swap is back in its place as it was, which is told; the next release may come."""
    on = engine(container(health="unhealthy"))
    on.daemon._fates["old-1"] = [{"health": "unhealthy"}]
    way = traffic()
    with pytest.raises(DeployError) as caught:
        run.replace(order(lies, watch=1), engine=on, state=state, traffic=way)

    assert "The old container is back, and does not serve: api-prod did not become healthy" in str(caught.value)
    assert names(on) == {"api-prod": "running"}
    assert way.reaches(on.daemon.container("api-prod"))
    assert not run.unsettled(order().plan, on, state)


def test_damaged_journal(engine, order, plan, state, project):
    """A journal that cannot be read is set aside: the engine tells enough."""

    def prove(_):
        raise Killed

    on = engine(container())
    with pytest.raises(Killed):
        run.replace(order(prove), engine=on, state=state)
    (state.folder / "run" / "api-prod.json").write_text("{")
    run.recover(plan, engine=on, state=state)

    assert names(on) == {"api-prod": "running"}


def test_full_disk_on_the_way_back(engine, order, state, monkeypatch):
    """What cannot be written down keeps nobody from the way back."""
    real = State.write

    def full(self, name, *given, **named):
        if "failed" in name or json.loads(given[0] if name.startswith("run/") else b"{}").get("back"):
            raise EngineError("No space.", "full", "Free some.")
        return real(self, name, *given, **named)

    def prove(facts):
        if facts.name == "api-prod":
            raise UnhealthyError("It lies.", "a", "b.")
        return ()

    on = engine(container())
    monkeypatch.setattr(State, "write", full)
    with pytest.raises(DeployError, match="taken back"):
        run.replace(order(prove, watch=1), engine=on, state=state)

    assert names(on) == {"api-prod": "running"}
    assert on.daemon.container("api-prod").id == "old-1"
