from __future__ import annotations

import io
import json
import re
import sys

import pytest

from dockyard.engines.logs import LogLine
from dockyard.observe.follow import Turn
from dockyard.observe.line import parse
from dockyard.report import logs
from dockyard.report.console import Console
from dockyard.settings.logs import Logs
from support import recorded, terminal

NAMES = Logs()
LINES = recorded("engine/log-pricing.txt").encode().splitlines()
# What colours and folds is ours; all else that moves a cursor, sets a title or rings is not.
OURS = re.compile(r"\x1b\[[0-9;]*m")
HOSTILE = [
    b"\x1b[31mred\x1b]0;title\x07 plain \x9b",
    json.dumps({"level": "error", "event": "boom\x1b[2J", "traceback": "one\x1b]52;c;AAAA\x07\ntwo\rthree"}).encode(),
    json.dumps({"a\x1b[2J": "\u202etxt", "request_id": "\x1b[1A", "level": "info\x1b[5m", "route": "\b\b"}).encode(),
    b"\xff\xfe\x00 bytes\r\n",
]


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    """Times are told in the zone of whoever looks."""
    monkeypatch.setenv("TZ", "UTC")


def line(text: bytes) -> LogLine:
    """A line as the engine gives it."""
    return LogLine(time="2026-11-23T08:25:45.184000000Z", text=text)


def told(text: bytes) -> str:
    """The one line that a person sees of an entry."""
    entry = parse(text, NAMES)
    return logs.headline(entry, entry.time).plain


def on_terminal(monkeypatch, *texts: bytes, raw: bool = False) -> str:
    """What a terminal gets of lines."""
    with terminal(monkeypatch, "stdout") as said:
        logs.show(Console(), [line(text) for text in texts], NAMES, raw=raw)
    return said.decode("utf-8")


def test_request():
    """A request is told by time, level, method, route, status, milliseconds, what is left, and a short id."""
    assert told(LINES[-2]) == (
        "08:25:45.184  info     request POST /predict 200 1.363 ms model_version=french-listings-1.0.0 #abc-1234…"
    )


def test_other_events():
    """A message needs no name; a digest is short; what has blanks is quoted."""
    assert told(LINES[1]) == "08:25:39.228  info     library Started server process [1] logger=uvicorn.error"
    assert told(LINES[6]).endswith(
        'model_ready 439 ms model_version=french-listings-1.0.0 source="default /app/config/models/'
        'french-listings.onnx" sha256=aec47fc4ef6f…'
    )
    assert told(b'{"msg": "two", "nested": {"a": [1, null]}, "empty": ""}').strip() == (
        'two nested={"a": [1, null]} empty=""'
    )


@pytest.mark.parametrize(("status", "style"), [(200, "green"), (404, "yellow"), (503, "bold red"), ("odd", "green")])
def test_status_colour(status, style):
    """A status is coloured by what it means."""
    entry = parse(json.dumps({"status": status}).encode(), NAMES)
    (span,) = [each for each in logs.headline(entry, None).spans if each.style == style and each.end - each.start == 3]

    assert span


def test_terminal(monkeypatch):
    """On a terminal lines are pretty, with the day where it changes, and a traceback below its line."""
    error = b'{"ts": "2026-11-24T00:00:00Z", "level": "error", "event": "e", "where": "a.py:1 f > b.py:2 g"}'
    seen = on_terminal(monkeypatch, LINES[-2], error, b"    no JSON")
    plain = [each.rstrip() for each in OURS.sub("", seen).splitlines()]

    assert plain[0] == "2026-11-23, UTC"
    assert plain[-5:] == [
        "2026-11-24, UTC",
        "00:00:00.000  error    e",
        "              a.py:1 f",
        "              b.py:2 g",
        "    no JSON",
    ]
    assert OURS.search(seen)


@pytest.mark.parametrize("raw", [False, True])
def test_hostile(monkeypatch, raw):
    """Nothing that a container logs moves the cursor, sets a title or hides text, not even of raw lines."""
    seen = OURS.sub("", on_terminal(monkeypatch, *HOSTILE, raw=raw)).replace("\r\n", "\n")

    assert [letter for letter in seen if letter != "\n" and not letter.isprintable()] == []
    assert "\\x1b[31mred" in seen
    assert seen.count("\n") <= 14


def test_long(monkeypatch):
    """A line of no end does not flood the terminal; raw it is whole."""
    assert len(on_terminal(monkeypatch, b"x" * 50_000)) < 5_000
    assert on_terminal(monkeypatch, b"x" * 50_000, raw=True).count("x") == 50_000


@pytest.mark.parametrize("raw", [False, True])
def test_piped(monkeypatch, capsys, raw):
    """A pipe gets each line byte for byte, raw or not; what happened between them is a note."""
    pipe = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", pipe)
    logs.show(Console(), [line(HOSTILE[0]), Turn(text="It went.\x1b"), line(HOSTILE[3])], NAMES, raw=raw)

    assert pipe.buffer.getvalue() == HOSTILE[0] + b"\n" + HOSTILE[3] + b"\n"
    assert capsys.readouterr().err == "— It went.\\x1b\n"


def test_streams(monkeypatch, tmp_path):
    """Each line is out before the next is asked for: nothing is gathered."""
    path = tmp_path / "out"

    def lines():
        for at in range(3):
            yield line(str(at).encode())
            assert path.read_text().endswith(f"{at}\n")

    with path.open("w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        logs.show(Console(), lines(), NAMES, raw=False)
        monkeypatch.undo()
