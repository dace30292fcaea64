from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard.build import BuildRecord, Progress, Step
from dockyard.build.layers import Layers
from dockyard.engines.messages import MessageDecoder
from dockyard.report import progress as report
from dockyard.report import progress_words as words
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
    assert any(line.startswith(" stopped  [builder 2/2] RUN sleep 5") for line in lines)
    assert any(line.endswith(" s  [internal] load build definition from Broken") for line in lines)


@pytest.mark.parametrize(("mode", "quiet"), [("quiet", False), ("plain", True), ("tty", True), ("auto", True)])
def test_quiet(capsys, messages, mode, quiet):
    """A quiet build shows nothing."""
    show(mode, messages, quiet=quiet)

    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("mode", ["auto", "tty"])
def test_redrawn(capsys, messages, monkeypatch, mode):
    """On a terminal the build is redrawn and wiped at its end, and standard output gets nothing of it."""
    with terminal(monkeypatch, "stderr") as said:
        show(mode, messages)

    assert capsys.readouterr().out == ""
    assert said.count(b"\x1b[?25l") == 1
    assert b"preparation" in said
    assert said.endswith(b"\x1b[2K")


def test_plain_terminal(messages, monkeypatch):
    """A terminal gets lines where they were asked for."""
    with terminal(monkeypatch, "stderr") as said:
        show("plain", messages)

    assert b"\x1b[?25l" not in said
    assert b"  failed  " in said


@pytest.mark.parametrize(
    ("name", "short"),
    [("a  b\n\tc", "a b c"), ("x" * 90, "x" * 90), ("x" * 91, "x" * 89 + "…"), ("", "")],
)
def test_short(name, short):
    """A step's name is one line, cut to its width."""
    assert words.short(name) == short


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


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        (Layers(), "Builder one (docker), its own cache."),
        (Layers(preset="gha"), "Builder one (docker), layer cache gha: nothing to import; nothing exported."),
        (
            Layers(preset="local", imported=("/a",), exported="done"),
            "Builder one (docker), layer cache local: imported from /a; exported.",
        ),
        (
            Layers(preset="registry", imported=("r:a", "r:b"), exported="denied"),
            "Builder one (docker), layer cache registry: imported from r:a and r:b; not exported: denied.",
        ),
    ],
)
def test_where(layers, told):
    """The last line says which builder built, and what was done with the cache beyond it."""
    assert report.where(replace(RECORD, builder="one", driver="docker", layers=layers)) == told


def test_fast_steps():
    """A step of less than a second is not worth a name."""
    fast = replace(RECORD, steps=(replace(RECORD.steps[-1], completed=T1),))

    assert "longest" not in report.summary(fast)
