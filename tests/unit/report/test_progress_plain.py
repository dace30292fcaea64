from __future__ import annotations

import base64
import time

import pytest

from dockyard.build import Progress
from dockyard.report import progress_plain
from dockyard.report.console import Console

T0, T1 = "2026-11-23T01:41:10Z", "2026-11-23T01:41:12.5Z"
SLOW = "[builder 7/8] RUN --mount=type=cache,target=/c uv pip install torch"


@pytest.fixture
def lines():
    """What prints the lines."""
    return progress_plain._Lines(Console())


@pytest.fixture
def running(lines):
    """A build in which one step runs; what it prints can be given."""
    progress = Progress()

    def tell(*, log: str = "", **changed) -> None:
        message = {"vertexes": [{"digest": "1", "name": SLOW, "started": T0, **changed}]}
        message["logs"] = [{"vertex": "1", "data": base64.b64encode(log.encode()).decode()}]
        progress.update(message)
        lines.update(progress)

    tell()
    return tell


def test_signs_of_life(capsys, lines, running):
    """A step that takes long says so every 30 seconds, with its last line, and no more often."""
    begun = time.monotonic()
    running(log="\x1b[32mfirst\x1b[0m\n10%\r50%\r")
    for seconds in range(29, 95):
        lines.beat(begun + seconds)

    assert capsys.readouterr().err.splitlines() == [
        "  30 s …  [builder 7/8] RUN uv pip install torch",
        "          | 50%",
        "  60 s …  [builder 7/8] RUN uv pip install torch",
        "          | 50%",
        "  90 s …  [builder 7/8] RUN uv pip install torch",
        "          | 50%",
    ]


def test_silent_step(capsys, lines, running):
    """A step that prints nothing says that it runs."""
    lines.beat(time.monotonic() + 31)

    assert capsys.readouterr().err == "  30 s …  [builder 7/8] RUN uv pip install torch\n"


def test_ended_step(capsys, lines, running):
    """A step that ended says so once, and gives no sign of life any more."""
    running(completed=T1)
    running(completed=T1)
    lines.beat(time.monotonic() + 99)

    assert capsys.readouterr().err == "   2.5 s  [builder 7/8] RUN uv pip install torch\n"


def test_transfer(capsys, lines):
    """A slow transfer tells how far it is."""
    progress = Progress()
    progress.update(
        {
            "vertexes": [{"digest": "1", "name": "[internal] load build context", "started": T0}],
            "statuses": [{"vertex": "1", "id": "transferring", "current": 5_000_000}],
        }
    )
    lines.update(progress)
    lines.beat(time.monotonic() + 31)

    assert capsys.readouterr().err.splitlines() == ["  30 s …  [internal] load build context", "          | 5.0 MB"]


def test_beating(monkeypatch, capsys):
    """The signs come by themselves, while no message does, and end with the build."""
    monkeypatch.setattr(progress_plain, "INTERVAL", 0.5)
    progress = Progress()
    progress.update({"vertexes": [{"digest": "1", "name": SLOW, "started": T0}]})
    said = ""
    with progress_plain.in_lines(Console()) as watch:
        watch(progress)
        limit = time.monotonic() + 20
        while SLOW[:13] not in said and time.monotonic() < limit:
            said += capsys.readouterr().err

    assert "[builder 7/8] RUN uv" in said
