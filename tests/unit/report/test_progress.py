from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console as RichConsole

from dockyard.build import BuildRecord, Progress, Step
from dockyard.engines.messages import MessageDecoder
from dockyard.report import progress as report
from dockyard.report.console import Console
from support import recorded, terminal

T0, T1, T3 = (f"2026-11-23T01:41:1{second}Z" for second in (0, 1, 3))
RECORD = BuildRecord(
    python="3.12",
    tags=("tiny-service:prod",),
    base="b",
    base_digest="",
    digest="sha256:1",
    started="",
    seconds=4.25,
    args={},
    inputs={},
    steps=(
        Step(name="[internal] load build context", started=T0, completed=T3),
        Step(name="[runner 1/3] FROM b", started=T0, completed=T3),
        Step(name="[runner 2/3] COPY a b", started=T0, completed=T0, cached=True),
        Step(name="[runner 3/3] RUN   uv\n sync", started=T1, completed=T3),
    ),
)


@pytest.fixture
def messages():
    """The messages of a recorded build."""
    decoder = MessageDecoder()
    return [each for line in recorded("buildkit/failed.txt").splitlines(keepends=True) for each in decoder.feed(line)]


def show(mode: str, messages, *, quiet: bool = False) -> None:
    """Show a build from its beginning to its end."""
    progress = Progress()
    with report.shown(Console(quiet=quiet), mode) as watch:
        for message in messages:
            progress.update(message)
            watch(progress)


@pytest.mark.parametrize("mode", ["auto", "plain"])
def test_piped(capsys, messages, mode):
    """A piped build is one line for each step, when it ends, on standard error."""
    show(mode, messages)
    out, err = capsys.readouterr()
    lines = err.splitlines()

    assert out == ""
    assert "\x1b" not in err
    assert len(lines) == len(set(lines))
    assert any(line.startswith("  failed  [other 2/2] RUN echo preparing") for line in lines)
    assert any(line.endswith(" s  [internal] load build definition from Broken") for line in lines)


@pytest.mark.parametrize(("mode", "quiet"), [("quiet", False), ("plain", True), ("tty", True), ("auto", True)])
def test_quiet(capsys, messages, mode, quiet):
    """A quiet build shows nothing."""
    show(mode, messages, quiet=quiet)

    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("mode", ["auto", "tty"])
def test_redrawn(capsys, messages, monkeypatch, mode):
    """On a terminal the build is redrawn, and standard output gets nothing of it."""
    with terminal(monkeypatch, "stderr") as said:
        show(mode, messages)

    assert capsys.readouterr().out == ""
    assert said.count(b"\x1b[?25l") == 1
    assert b"building, " in said
    assert b"  failed  " not in said


def test_plain_terminal(messages, monkeypatch):
    """A terminal gets lines where they were asked for."""
    with terminal(monkeypatch, "stderr") as said:
        show("plain", messages)

    assert b"\x1b[?25l" not in said
    assert b"  failed  " in said


def drawn(*messages: dict) -> str:
    """Return one drawing of a running build."""
    progress, display = Progress(), report._Redrawn()
    for message in messages:
        progress.update(message)
    display.update(progress)
    stream = io.StringIO()
    RichConsole(file=stream, width=120).print(display)
    return stream.getvalue()


def vertex(name: str, **changed) -> dict:
    """Return a message of one step."""
    return {"vertexes": [{"digest": name, "name": name, **changed}]}


def test_drawing():
    """A drawing shows what runs with its last output, what ended with its time, and counts what was cached."""
    text = drawn(
        vertex("[runner 1/4] FROM b", completed=T1, cached=True),
        vertex("[runner 2/4] COPY a b", started=T0, completed=T0, cached=True),
        vertex("[runner 3/4] RUN one", started=T1, completed=T3),
        vertex("[runner 4/4] RUN two", started=T1),
        vertex("[internal] load build context", started=T1),
        {"logs": [{"vertex": "[runner 4/4] RUN two", "data": "b25lCnR3bwo="}]},
        {"statuses": [{"vertex": "[internal] load build context", "id": "a", "current": 1500, "total": 2_000_000}]},
    )

    assert [line.rstrip() for line in text.splitlines()][:5] == [
        "   2.0 s [runner 3/4] RUN one",
        "   0.0 s [runner 4/4] RUN two",
        "         two",
        "   0.0 s [internal] load build context",
        "         1.5 kB of 2.0 MB",
    ]
    assert "1 steps cached" in text
    assert "FROM b" not in text
    assert "COPY" not in text


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ({"current": 1500, "total": 2_000_000}, "1.5 kB of 2.0 MB"),
        ({"current": 1500}, "1.5 kB"),
        ({"current": 0, "total": 5}, ""),
        ({}, ""),
    ],
)
def test_transfer(status, text):
    """What is transferred is told with its total where that is known, and not before it has begun."""
    progress = Progress()
    progress.update(vertex("a", started=T1))
    progress.update({"statuses": [{"vertex": "a", "id": "one", **status}]})

    assert report._detail(progress.steps[0]) == text


def test_empty_drawing():
    """A build of which nothing is known yet can be drawn."""
    assert "building" in drawn()


def test_summary():
    """A build ends with its first tag, its time, what was cached, the longest step and the digest."""
    assert report.summary(RECORD) == (
        "tiny-service:prod built in 4.2 s: 1 of 2 steps cached; the longest, [runner 3/3] RUN uv sync, took 2.0 s.\n"
        "sha256:1"
    )


def test_all_cached():
    """A build from the cache says that all was cached, and names no step."""
    cached = replace(RECORD, steps=tuple(replace(step, cached=True) for step in RECORD.steps))

    assert "s: all 2 steps cached.\n" in report.summary(cached)


def test_fast_steps():
    """A step of less than a second is not worth a name."""
    fast = replace(RECORD, steps=(replace(RECORD.steps[-1], completed=T1),))

    assert "longest" not in report.summary(fast)


@pytest.mark.parametrize(
    ("name", "short"),
    [("a  b\n\tc", "a b c"), ("x" * 90, "x" * 90), ("x" * 91, "x" * 89 + "…"), ("", "")],
)
def test_short(name, short):
    """A step's name is one line, cut to its width."""
    assert report.short(name) == short


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_234_567, "1.2 MB"),
        (5_000_000_000, "5.0 GB"),
        (5_000_000_000_000, "5000.0 GB"),
    ],
)
def test_amount(count, text):
    """Bytes are told in powers of a thousand, as docker tells them."""
    assert report.amount(count) == text
