from __future__ import annotations

import base64
import io
import time

import pytest
from rich.console import Console as RichConsole

from dockyard.build import Progress, Step, Times
from dockyard.engines.messages import MessageDecoder
from dockyard.report import progress_live
from support import recorded

T0, T1, T3 = (f"2026-11-23T01:41:1{second}Z" for second in (0, 1, 3))


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still; a step of it moves it."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


def vertex(name: str, *inputs: str, **changed) -> dict:
    """A message of one step."""
    return {"vertexes": [{"digest": name, "name": name, "inputs": inputs, **changed}]}


def printed(name: str, text: str) -> dict:
    """A message of what a step printed."""
    return {"logs": [{"vertex": name, "data": base64.b64encode(text.encode()).decode()}]}


def sent(name: str, current: int, total: int = 0, what: str = "transferring") -> dict:
    """A message of what a step transferred."""
    return {"statuses": [{"vertex": name, "id": what, "current": current, "total": total}]}


CONTEXT, ONE, TWO, COPY = (
    "[internal] load build context",
    "[builder 3/5] RUN one",
    "[builder 4/5] RUN --mount=type=cache,target=/c two",
    "[runner 2/2] COPY --from=builder /a /a",
)
BUILD = (
    vertex("[internal] load build definition from Dockerfile", started=T0, completed=T1),
    vertex(COPY),
    vertex("[builder 5/5] RUN three"),
    vertex("[builder 1/5] FROM b@sha256:0123", completed=T1, cached=True),
    vertex("[builder 2/5] COPY a b", started=T0, completed=T0, cached=True),
    vertex(ONE, started=T1, completed=T3),
    vertex(TWO, started=T1),
    printed(TWO, "first\n\x1b[1msecond\x1b[0m\n10%\r20%\r"),
    vertex(CONTEXT, started=T1),
    sent(CONTEXT, 1500),
)


class Screen:
    """A terminal on which a build is drawn."""

    def __init__(self, *messages: dict, stages: tuple[str, ...] = ("builder", "runner"), times: Times | None = None):
        self.progress = Progress()
        self.display = progress_live._Display(lambda: stages, lambda: times or Times())
        self.tell(*messages)

    def tell(self, *messages: dict) -> None:
        for message in messages:
            self.progress.update(message)
            self.display.update(self.progress)

    def lines(self, width: int = 80, height: int = 40, encoding: str = "utf-8", **options) -> list[str]:
        stream = io.TextIOWrapper(io.BytesIO(), encoding)
        RichConsole(file=stream, width=width, height=height, **options).print(self.display)
        stream.seek(0)
        return [line.rstrip() for line in stream.read().splitlines()]


def test_groups(clock):
    """Stages are groups in the order of the Dockerfile; what is cached or to come is counted, what runs is shown."""
    screen = Screen(*BUILD)
    clock(2.04)

    assert screen.lines() == [
        "preparation  1 step in 1.0 s",
        "   2.0 s  [internal] load build context",
        "          1.5 kB",
        "builder  1 step cached, 1 step to come",
        "   2.0 s  RUN one",
        "   2.0 s  RUN two",
        "          20%",
        "runner  1 step to come",
        "━━━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 2.0 s, 2 of 5 steps",
    ]


def test_order_without_dockerfile():
    """Where the order of the stages is not known it is that in which BuildKit named them."""
    heads = [line.split()[0] for line in Screen(*BUILD, stages=()).lines() if not line.startswith(" ")]

    assert heads[:3] == ["preparation", "runner", "builder"]


def test_platforms():
    """Each platform of a stage is a group beside the stage's others."""
    names = ["[linux/amd64 b 2/2] RUN x", "[linux/amd64 a 2/2] RUN x", "[linux/arm64 b 2/2] RUN x", "[2/2] RUN alone"]
    lines = Screen(*(vertex(name, started=T0) for name in names), stages=("a", "b")).lines()

    heads = [line.strip() for line in lines if not line.startswith(" ")][:-1]
    assert heads == ["linux/amd64 a", "linux/amd64 b", "linux/arm64 b", "Dockerfile"]


def test_bars(clock):
    """A transfer has a bar and a rate where its end is known, and an amount alone where it is not."""
    base = "[builder 1/5] FROM b@sha256:0123"
    screen = Screen(vertex(base, started=T0), sent(base, 1, 1_000_000, "sha256:a"))
    clock(2)
    screen.tell(sent(base, 10_000_000, 20_000_000, "sha256:b"))

    assert "          ━━━━━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 10.0 MB of 21.0 MB, 5.0 MB/s" in screen.lines()
    assert "          ━━━━━━━╌╌╌╌╌╌╌╌ 10.0 MB of 21.0 MB, 5.0 MB/s" in screen.lines(width=60)
    screen.tell(sent(base, 5, 0, "sha256:c"))
    assert "          10.0 MB" in screen.lines()


def test_fetched_base():
    """A base that was there already is not worth a line, one that was fetched is."""
    base = "[builder 1/5] FROM b@sha256:0123"
    there = vertex(base, started=T0, completed=T3)

    assert len(Screen(there).lines()) == 1
    assert "   3.0 s  FROM b" in Screen(vertex(base), sent(base, 9, 9), there).lines()


def test_export():
    """The export tells what it does, and is the last group."""
    screen = Screen(vertex("exporting to image", started=T0), sent("exporting to image", 0, 0, "exporting layers"))
    screen.tell(vertex(ONE, started=T0, completed=T1))

    assert screen.lines()[-4:-1] == ["export", "   0.0 s  exporting to image", "          exporting layers"]


def test_estimate(clock):
    """The last line tells when the build ends, from what its steps took earlier, and then how late it is."""
    past = [Step(name=TWO, started=T0, completed="2026-11-23T01:41:30Z")]
    screen = Screen(*BUILD[1:], times=Times([past]))
    screen.lines()
    clock(5)
    assert screen.lines()[-1].endswith(" 5.0 s, 25%, at least 15 s left, from 1 earlier build")
    assert screen.lines(width=60)[-1].endswith(" 5.0 s, 25%, at least 15 s left")
    assert screen.lines(width=35)[-1].endswith(" 5.0 s, 25%")
    clock(16)
    assert "left" not in screen.lines()[-1]
    clock(5)
    assert screen.lines()[-1].endswith(" 26.0 s, 99%, 6 s longer than usual")


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
@pytest.mark.parametrize("height", [2, 5, 8, 20, 24, 40])
def test_fits(width, height):
    """A drawing is never wider nor higher than the terminal, and what runs stays in it longest."""
    many = [vertex(f"[builder {number}/99] RUN {'long ' * 40}", started=T0, completed=T1) for number in range(2, 50)]
    screen = Screen(*BUILD, *many)
    lines = screen.lines(width, height)

    assert len(lines) < height or height == 2
    assert max(map(len, lines)) <= width
    assert lines[-1][0] in "━╌"
    if height >= 8:
        assert any("RUN two" in line for line in lines)


def test_too_many_at_once():
    """Where more runs than there are rows, the rest is counted."""
    screen = Screen(*(vertex(f"[builder {number}/99] RUN x{number}", started=T0) for number in range(2, 50)))

    assert screen.lines(height=10)[-2] == "  … 42 lines more"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_ascii(encoding):
    """A terminal that has no UTF-8 gets nothing that it cannot show."""
    screen = Screen(*BUILD, vertex(f"[builder 9/9] RUN {'café ' * 40}", started=T0))
    screen.tell(printed(TWO, "\nprêt ✓\n"))
    lines = screen.lines(encoding=encoding)

    assert any("RUN caf? caf?" in line for line in lines)
    assert "          pr?t ?" in lines
    assert lines[-1].startswith("######")
    assert max(map(len, lines)) <= 80


def test_no_colour(monkeypatch):
    """NO_COLOR is obeyed, and the bar can still be read."""
    monkeypatch.setenv("NO_COLOR", "1")
    lines = Screen(*BUILD).lines(force_terminal=True)

    assert not any(f"\x1b[3{colour}m" in line for line in lines for colour in range(8))
    assert "━" in lines[-1]
    assert "╌" in lines[-1]


def test_hostile_output():
    """What a step is called or prints moves no cursor."""
    screen = Screen(vertex("[2/2] RUN \x1b[2Jx", started=T0), printed("[2/2] RUN \x1b[2Jx", "\x1b[2J\x07y\n"))

    assert "\x1b" not in "".join(screen.lines())


def test_drawn_while_told():
    """A recorded build can be drawn after each of its messages, from before the first one."""
    screen, decoder = Screen(), MessageDecoder()
    assert screen.lines()[-1].endswith(" 0.0 s, preparing")

    for line in recorded("buildkit/failed.txt").splitlines(keepends=True):
        for message in decoder.feed(line):
            screen.tell(message)
            assert screen.lines()
    lines = screen.lines()
    assert any(line.startswith("  failed  RUN echo preparing") for line in lines)
    assert any(line.startswith(" stopped  RUN sleep 5") for line in lines)


def test_long_steps(clock):
    """What runs for minutes is told in minutes."""
    screen = Screen(vertex(ONE, started=T0))
    clock(99.94)
    assert "  99.9 s  RUN one" in screen.lines()
    clock(30)
    assert "  2m 09s  RUN one" in screen.lines()
