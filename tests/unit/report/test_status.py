from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dockyard.observe.drift import Drift
from dockyard.observe.state import Ended, Folder, Prediction, State
from dockyard.observe.usage import Usage
from dockyard.report import stats, status
from dockyard.report.console import Console
from support import container, terminal

AT = datetime(2026, 11, 23, 8, 25, 45, tzinfo=UTC)
USAGE = Usage(
    cpu=0.421,
    cpus=1.0,
    memory=57 * 2**20,
    memory_limit=512 * 2**20,
    received=1532,
    sent=0,
    read=None,
    written=None,
    pids=4,
    pids_limit=128,
)
STATE = State(
    facts=container(health_output="200 ready"),
    url="http://127.0.0.1:8000",
    digest=f"sha256:{'d' * 64}",
    gateway="api-prod-gateway, sends requests to it",
    release="4",
    version="1.2.3",
    revision="abc",
    base="python",
    uptime=3 * 3600 + 12 * 60 + 5,
    ended=None,
    usage=USAGE,
    prediction=Prediction(time=AT, milliseconds=1.363, status=200),
    logs=Folder(path="/srv/logs", files=1, bytes=7600),
    drift=(),
)


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    """Times are told in the zone of whoever looks."""
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture
def rows(capsys):
    """What a person is told of a state, line by line, with single blanks."""

    def rows(**changed) -> list[str]:
        status.show(Console(), replace(STATE, **changed))
        return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    return rows


def test_show(rows):
    """A person sees how it is, what it uses beside what it may, and that it is as the settings say."""
    assert rows() == [
        "container api-prod",
        "state running",
        "health healthy",
        "last health check 200 ready",
        "url http://127.0.0.1:8000",
        "gateway api-prod-gateway, sends requests to it",
        "image tiny-service:prod",
        f"digest sha256:{'d' * 64}",
        "release 4",
        "version 1.2.3",
        "revision abc",
        "base python",
        "up 3 hours 12 minutes",
        "restarts 0",
        "cpu 0.42 of 1 core",
        "memory 57 of 512 MiB (11%)",
        "pids 4 of 128",
        "last prediction 2026-11-23 08:25:45, 1.363 ms, status 200",
        "logs 7.6 kB in 1 file, /srv/logs",
        "drift none: it runs as the settings say",
    ]


def test_unknown(rows):
    """What nobody can know is said to be so; a stopped container uses nothing and has an end."""
    told = rows(
        facts=container(status="exited"),
        url="",
        uptime=None,
        usage=None,
        prediction=None,
        logs=None,
        ended=Ended(time=AT, exit_code=137, oom_killed=True),
    )

    assert "last end 2026-11-23 08:25:45, exit code 137, killed for memory" in told
    assert {"last prediction not known", "logs not known"} <= set(told)
    assert not any(line.startswith(("cpu", "up ", "url", "health ")) for line in told)


@pytest.mark.parametrize(("role", "line"), [("prod", "`invoke run --prod`"), ("dev", "`invoke run`")])
def test_drift(rows, role, line):
    """Each difference has both values, digests short and nothing hostile, and what applies the settings."""
    labels = {"dev.dockyard.role": role}
    told = rows(
        facts=container(labels=labels),
        drift=(
            Drift(what="image", running=f"sha256:{'a' * 64}", configured=f"sha256:{'b' * 64} (x:prod)"),
            Drift(what="env A", running="\x1b[2J", configured="1"),
        ),
    )

    assert told[-4:] == [
        "drift running configured",
        "image sha256:aaaaaaaaaaaa… sha256:bbbbbbbbbbbb… (x:prod)",
        "env A \\x1b[2J 1",
        f"{line} applies the settings.",
    ]


def test_document():
    """Programs get every key always, with numbers as numbers, and null for what is not known."""
    whole = json.loads(json.dumps(status.document(STATE)))
    bare = status.document(
        replace(
            STATE,
            uptime=None,
            usage=None,
            prediction=None,
            logs=None,
            ended=Ended(time=AT, exit_code=1, oom_killed=False),
        )
    )

    assert whole.keys() == bare.keys()
    assert (whole["version"], whole["state"], whole["restarts"], whole["uptime_seconds"]) == (1, "running", 0, 11525)
    assert whole["usage"]["memory_limit"] == 512 * 2**20
    assert whole["last_prediction"] == {"time": "2026-11-23T08:25:45+00:00", "milliseconds": 1.363, "status": 200}
    assert (whole["drift"], whole["last_end"]) == ([], None)
    assert bare["last_end"] == {"time": "2026-11-23T08:25:45+00:00", "exit_code": 1, "oom_killed": False}
    assert (bare["usage"], bare["logs"], bare["last_prediction"], bare["uptime_seconds"]) == (None, None, None, None)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "less than a second"),
        (1, "1 second"),
        (62, "1 minute 2 seconds"),
        (3600, "1 hour"),
        (3605, "1 hour"),
        (90061, "1 day 1 hour"),
        (10 * 86400 + 59, "10 days"),
    ],
)
def test_span(seconds, words):
    """A time is told by its two greatest parts, next to each other."""
    assert status.span(seconds) == words


def test_no_limits():
    """Where there is no limit, none is made up."""
    free = replace(USAGE, cpu=None, cpus=None, memory_limit=None, pids_limit=None)

    assert dict(status.usage_rows(free)) == {"cpu": "… cores, no limit", "memory": "57 MiB, no limit", "pids": "4"}
    assert status.cpu(replace(USAGE, cpus=2.0)) == "0.42 of 2 cores"


def test_stats(capsys):
    """One sample is one row; a container that does not run has a row of its state alone."""
    stats.show(Console(), container(), USAGE)
    stats.show(Console(), container(status="exited"), None)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    assert lines[1] == "api-prod healthy 0.42 of 1 core 57 of 512 MiB (11%) 1.5 kB / 0 B not known 4 of 128"
    assert lines[3] == "api-prod exited"


def test_stats_document():
    """Programs get one sample with every figure."""
    told = stats.document(container(), replace(USAGE, read=1, written=2))

    assert (told["version"], told["container"], told["state"]) == (1, "api-prod", "healthy")
    assert (told["usage"]["cpu"], told["usage"]["written"]) == (0.421, 2)
    assert stats.document(container(status="exited", health=""), None)["usage"] is None


def test_stats_watched(monkeypatch, capsys):
    """Samples are drawn in one place, the last one stays, and what is near its limit is red."""
    near = replace(USAGE, memory=500 * 2**20, read=5, written=6)
    with terminal(monkeypatch, "stdout") as said:
        stats.watch(Console(), [(container(), USAGE), (container(), near)])
    seen = said.decode()

    assert seen.count("container") >= 2
    assert "\x1b[1A" in seen
    assert "\x1b[1;31m" in seen
    assert capsys.readouterr().err == "There is no container of that name any more.\n"
