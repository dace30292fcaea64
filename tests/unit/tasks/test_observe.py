from __future__ import annotations

import json

import pytest

from dockyard.engines.containers import Container
from dockyard.engines.logs import LogLine
from dockyard.observe import follow
from support import container, recorded

LINES = [
    '{"ts": "2026-11-23T08:00:00Z", "level": "info", "event": "one", "request_id": "abc-1"}',
    '{"ts": "2026-11-23T08:00:01Z", "level": "error", "event": "two", "request_id": "abc-2"}',
    "Traceback [of a crash]",
    '{"ts": "2026-11-23T08:00:03Z", "level": "debug", "event": "four"}',
]


@pytest.fixture
def log(on_engine, monkeypatch):
    """A container of each name, whose log is LINES after its name; what the engine is asked for it is written down."""
    asked = []

    def last_lines(daemon, container, lines, *, since=""):
        asked.append({"since": since, "lines": lines})
        told = [container, *LINES]
        yield from [LogLine(time=f"{at}", text=text.encode()) for at, text in enumerate(told)][-lines:]

    def read_log(daemon, container, *, since="", follow=False):
        asked.append({"since": since, "lines": None})
        if follow:
            raise KeyboardInterrupt
        yield from (LogLine(time=f"{at}", text=text.encode()) for at, text in enumerate([container, *LINES]))

    for name in ("api-prod", "api-dev"):
        on_engine._there[name] = container(id=name, name=name, status="exited", mounts={})
        on_engine._fates[name] = []
    told = json.loads(recorded("engine/container-pricing.json"))
    monkeypatch.setattr(Container, "inspect", lambda _: told)
    monkeypatch.setattr(follow, "read_log", read_log)
    monkeypatch.setattr(follow, "last_lines", last_lines)
    return asked


@pytest.mark.parametrize(("flag", "name"), [("", "api-prod"), (" --dev", "api-dev")])
@pytest.mark.parametrize("line", ["status", "logs", "stats"])
def test_dev(invoke, log, line, flag, name):
    """A command means the production container, or the development one where that is said."""
    done = invoke(line + flag)

    assert done.code == 0, done.err
    assert name in done.out
    assert {"api-prod": "api-dev", "api-dev": "api-prod"}[name] not in done.out + done.err


@pytest.mark.parametrize("line", ["status", "stats"])
def test_json(invoke, log, line):
    """Where JSON was asked for nothing else is on standard output; a stopped container is told with code 0 too."""
    done = invoke(f"{line} --format json")

    assert done.code == 0
    told = json.loads(done.out)
    assert (told["container"], told["state"], told["usage"]) == (
        "api-prod",
        "exited" if line == "status" else "healthy",
        None,
    )


@pytest.mark.parametrize(
    ("flags", "asked", "shown"),
    [
        ("", {"lines": 100}, ["api-prod", *LINES]),
        ("--lines 2", {"lines": 2}, LINES[2:]),
        ("--raw --lines 2", {"lines": 2}, LINES[2:]),
        ("--level warning", {"lines": None}, ["api-prod", *LINES[1:3]]),
        ("--level warn", {"lines": None}, ["api-prod", *LINES[1:3]]),
        ("--level WARNING", None, []),
        ("--level info --lines 1", {"lines": None}, LINES[2:3]),
        ("--request-id abc", {"lines": None}, LINES[:2]),
        ("--request-id abc-2 --level error", {"lines": None}, LINES[1:2]),
    ],
)
def test_logs(invoke, log, flags, asked, shown):
    """Piped, the last lines that are wanted come as they are."""
    done = invoke(f"logs {flags}")

    assert done.out.splitlines() == shown
    assert done.code == (2 if asked is None else 0)
    assert [each["lines"] for each in log] == ([] if asked is None else [asked["lines"]])


def test_logs_since(invoke, log):
    """From a time on all lines come, however many."""
    assert invoke("logs --since 2026-11-23T08:00Z").code == 0
    assert log == [{"since": "2026-11-23T08:00:00.000000000Z", "lines": None}]


def test_logs_followed(invoke, log):
    """Ctrl-C is how a followed log is left, and is no error."""
    done = invoke("logs --follow --lines 1")

    assert (done.code, done.out, done.err) == (0, f"{LINES[-1]}\n", "")
    assert [each["lines"] for each in log] == [1, None]
