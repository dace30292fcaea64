from __future__ import annotations

from types import SimpleNamespace

import pytest

from dockyard.engines.logs import LONGEST, LogLine, joined, last_lines

ONE, TWO = "2026-11-23T08:15:15.032977846Z", "2026-11-23T08:15:15.033128230Z"


def frame(time: str, text: bytes) -> bytes:
    """A frame as the engine sends it, recorded from one: time, blank, text."""
    return time.encode() + b" " + text


def test_lines():
    """A frame is a line, with its time; it stays byte for byte, without its end."""
    frames = [frame(ONE, b"one \xff\r\n"), frame(TWO, b"\n"), frame(TWO, b"last")]

    assert list(joined(frames)) == [
        LogLine(time=ONE, text=b"one \xff"),
        LogLine(time=TWO, text=b""),
        LogLine(time=TWO, text=b"last"),
    ]


def test_long_line():
    """The engine cuts a long line into frames that each have its time: they are one line, and no time is in it."""
    frames = [frame(ONE, b"x" * 16384), frame(ONE, b"x" * 16384), frame(ONE, b"end\n"), frame(TWO, b"next\n")]
    first, second = joined(frames)

    assert (first.time, len(first.text), first.text[-4:]) == (ONE, 2 * 16384 + 3, b"xend")
    assert second == LogLine(time=TWO, text=b"next")


def test_unfinished_line():
    """A line without an end is not glued to the next, which has another time."""
    assert [line.text for line in joined([frame(ONE, b"half"), frame(TWO, b"next\n")])] == [b"half", b"next"]


def test_bounded():
    """A line that never ends is given out in pieces."""
    pieces = list(joined(frame(ONE, b"x" * 16384) for _ in range(3 * LONGEST // 16384)))

    assert max(len(each.text) for each in pieces) <= LONGEST + 16384
    assert sum(len(each.text) for each in pieces) == 3 * LONGEST


WHOLE = [frame(ONE, b"one\n"), frame(ONE, b"two\n"), frame(TWO, b"three\n"), frame(TWO, b"four")]
CUT = [frame(ONE, b"one\n"), frame(ONE, b"x" * 16384), frame(ONE, b"y\n"), frame(TWO, b"four\n")]


@pytest.mark.parametrize(
    ("frames", "lines", "told", "asked"),
    [
        (WHOLE, 2, [b"three", b"four"], [3]),
        (WHOLE, 9, [b"one", b"two", b"three", b"four"], [10]),
        (CUT, 1, [b"four"], [2]),
        (CUT, 2, [b"x" * 16384 + b"y", b"four"], [3, "all"]),
        (CUT, 3, [b"one", b"x" * 16384 + b"y", b"four"], [4, "all"]),
        ([], 3, [], [4]),
    ],
)
def test_last_lines(frames, lines, told, asked):
    """The last lines are whole ones, though the engine counts frames; all are read only where one of them was cut."""
    tails = []

    def logs(_, *, tail="all", **__):
        tails.append(tail)
        return iter(frames if tail == "all" else frames[-tail:])

    daemon = SimpleNamespace(api=SimpleNamespace(logs=logs))

    assert [each.text for each in last_lines(daemon, "one", lines)] == told
    assert tails == asked
