from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from dockyard.observe.line import Wanted, parse
from dockyard.settings.logs import Logs
from support import recorded

NAMES = Logs()
LINES = recorded("engine/log-pricing.txt").encode().splitlines()


def test_recorded():
    """A request's line of the real service is read whole."""
    entry = parse(LINES[-2], NAMES)

    assert entry.time == datetime(2026, 11, 23, 8, 25, 45, 184000, tzinfo=UTC)
    assert (entry.level, entry.event, entry.request_id) == ("info", "request", "abc-123456789")
    assert (entry.route, entry.milliseconds) == ("/predict", 1.363)
    assert dict(entry.fields) == {"method": "POST", "status": 200, "model_version": "french-listings-1.0.0"}


def test_every_recorded():
    """Every line of the real service says when, how serious and what."""
    entries = [parse(line, NAMES) for line in LINES]

    assert all(entry and entry.time and entry.level and entry.event for entry in entries)


@pytest.mark.parametrize(
    "text",
    [b"", b"plain", b"[1, 2]", b'"text"', b"{not json", b"\xff{}", b'{"a":' * 100_000, b'{"n": ' + b"9" * 6000 + b"}"],
)
def test_no_json(text):
    """What is no JSON object, or none that can be read, is no entry and no error."""
    assert parse(text, NAMES) is None


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("2026-11-23T08:00:00Z", datetime(2026, 11, 23, 8, tzinfo=UTC)),
        ("2026-11-23 08:00:00", datetime(2026, 11, 23, 8, tzinfo=UTC)),
        (1795420800, datetime(2026, 11, 23, 8, tzinfo=UTC)),
        (1795420800000, datetime(2026, 11, 23, 8, tzinfo=UTC)),
        ("yesterday", None),
        (1e300, None),
        (float("nan"), None),
        (True, None),
        (None, None),
        ([], None),
    ],
)
def test_times(value, read):
    """Times are ISO 8601, or seconds or milliseconds since 1970; any other is none."""
    assert parse(json.dumps({"ts": value}).encode(), NAMES).time == read


@pytest.mark.parametrize(
    ("value", "level"),
    [("WARN", "warning"), ("Error", "error"), ("fatal", "critical"), ("trace", "debug"), ("loud", None), (30, None)],
)
def test_levels(value, level):
    """Levels are known by their usual names; any other is none."""
    assert parse(json.dumps({"level": value}).encode(), NAMES).level == level


@pytest.mark.parametrize(
    ("value", "frames"),
    [
        ("Traceback:\n  File x\nKeyError", ("Traceback:", "  File x", "KeyError")),
        ("routes.py:10 predict > model.py:4 price", ("routes.py:10 predict", "model.py:4 price")),
        (["one", "two"], ("one", "two")),
        ("", ()),
    ],
)
def test_tracebacks(value, frames):
    """A traceback is lines, whether it is a text of lines, a chain or a list."""
    assert parse(json.dumps({"where": value}).encode(), NAMES).traceback == frames


def test_names():
    """The names of the fields are settings: the first that a line has counts, the others stay fields."""
    names = Logs(time=("at",), event=("what", "also"), milliseconds=("took",))
    entry = parse(b'{"at": 0, "what": "one", "also": "two", "took": 3, "ts": "x"}', names)

    assert (entry.time.year, entry.event, entry.milliseconds) == (1970, "one", 3)
    assert dict(entry.fields) == {"also": "two", "ts": "x"}


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (Wanted(), [0, 1, 2, 3, 4]),
        (Wanted(level="debug"), [0, 1, 2, 3, 4]),
        (Wanted(level="info"), [1, 2, 3, 4]),
        (Wanted(level="error"), [2, 3, 4]),
        (Wanted(level="critical"), [3, 4]),
        (Wanted(request_id="abc"), [1, 2]),
        (Wanted(request_id="abc-2"), [2]),
        (Wanted(level="error", request_id="abc"), [2]),
    ],
)
def test_wanted(wanted, taken):
    """A level is that and above; what has none may be a crash and stays. A request's id may be its beginning."""
    lines = [
        b'{"level": "debug", "request_id": "other"}',
        b'{"level": "warn", "request_id": "abc-1"}',
        b'{"level": "ERROR", "request_id": "abc-2"}',
        b"Traceback (most recent call last):",
        b'{"level": "loud"}',
    ]

    assert [at for at, line in enumerate(lines) if wanted.takes(line, NAMES)] == taken
