from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from dockyard.engines.containers import Container
from dockyard.errors import EngineError
from dockyard.pipeline import observe
from dockyard.run.evidence import SLACK
from support import FakeDaemon, container, recorded

OCI = "org.opencontainers.image"


@pytest.fixture
def engine(opened, recorder, monkeypatch):
    """Open the project on an engine where one container runs."""

    def engine(facts=None, log=(), codes=None):
        told = json.loads(recorded("engine/container-pricing.json"))
        sample = json.loads(recorded("engine/stats.json"))
        daemon = FakeDaemon(recorder, facts or container(), images=["sha256:1"], log=log)
        daemon.stats = lambda *_, **__: sample
        monkeypatch.setattr(Container, "inspect", lambda _: told)
        monkeypatch.setattr(Container, "last_end", lambda _, *, since: (codes or {}).get(int(since)))
        return opened(daemon=daemon)

    return engine


def test_status(engine):
    """An operator sees what runs, where it answers, what it was made of, what it uses and what it answered last."""
    labels = {**container().labels, f"{OCI}.version": "1.2.3", f"{OCI}.revision": "abc", f"{OCI}.base.name": "base"}
    log = recorded("engine/log-pricing.txt").splitlines()
    state = observe.status(engine(container(labels=labels), log=log))

    assert state.url == "http://127.0.0.1:8000"
    assert (state.version, state.revision, state.base) == ("1.2.3", "abc", "base")
    assert state.usage.memory_limit == 256 * 2**20
    assert state.prediction.milliseconds == 1.363
    assert state.uptime > 0
    assert (state.ended, state.logs) == (None, None)
    assert {"memory", "mount /app/logs", "env REGION"} <= {each.what for each in state.drift}


@pytest.mark.parametrize("dev", [False, True])
def test_drift_of(engine, dev):
    """A development container is held against its own settings, not those of production."""
    name = "api-dev" if dev else "api-prod"
    state = observe.status(engine(container(name=name)), dev=dev)

    assert ("env API_ENV" in {each.what for each in state.drift}) is dev


def test_stopped(engine):
    """A stopped container answers nowhere and uses nothing; how it ended is its own record."""
    finished = "2026-11-23T08:00:10.123456789Z"
    facts = container(status="exited", exit_code=137, oom_killed=True, finished=finished)
    state = observe.status(engine(facts))

    assert (state.url, state.uptime, state.usage) == ("", None, None)
    assert (state.ended.exit_code, state.ended.oom_killed) == (137, True)
    assert state.ended.time == datetime(2026, 11, 23, 8, 0, 10, 123456, tzinfo=UTC)


@pytest.mark.parametrize("code", [3, None])
def test_restarted(engine, code):
    """Of one that runs again, the engine's events tell how it ended, as long as they are kept."""
    finished = datetime(2026, 11, 23, 8, 0, 10, tzinfo=UTC)
    codes = {int(finished.timestamp()) - SLACK: code}
    state = observe.status(engine(container(finished="2026-11-23T08:00:10Z"), codes=codes))

    assert (state.ended.exit_code, state.ended.oom_killed) == (code, None)


def test_usage(engine):
    """What a container uses now is one sample; one that does not run uses nothing."""
    facts, used = observe.usage(engine())
    assert (facts.name, round(used.cpu, 2)) == ("api-prod", 0.04)

    assert observe.usage(engine(container(status="exited")))[1] is None


def test_usages(engine):
    """Samples go on, whichever container has the name, until none has it."""
    project = engine()
    daemon = project.engine.daemon
    seen = observe.usages(project, pause=lambda _: None)
    assert next(seen)[1].memory_limit == 256 * 2**20

    daemon._there = {"new-1": container(id="new-1", status="exited")}
    daemon._fates["new-1"] = []
    facts, used = next(seen)
    assert (facts.id, used) == ("new-1", None)

    daemon._there = {}
    assert list(seen) == []


def test_usages_of_another(engine):
    """CPU is counted between two samples of one container, never of two."""
    project = engine()
    daemon = project.engine.daemon
    counts = iter(range(1, 9))

    def stats(*_, at_once):
        count = next(counts) * 10**9
        return {"cpu_stats": {"cpu_usage": {"total_usage": count}, "system_cpu_usage": 4 * count, "online_cpus": 2}}

    daemon.stats = stats
    seen = observe.usages(project, pause=lambda _: None)
    assert [next(seen)[1].cpu, next(seen)[1].cpu] == [None, 0.5]

    daemon._there = {"new-1": container(id="new-1")}
    daemon._fates["new-1"] = []
    assert [next(seen)[1].cpu, next(seen)[1].cpu] == [None, 0.5]


def test_nobody(opened):
    """Where there is no container, there is nothing to look at."""
    for look in (observe.status, observe.usage, lambda project: next(observe.usages(project))):
        with pytest.raises(EngineError, match="does not run"):
            look(opened())
