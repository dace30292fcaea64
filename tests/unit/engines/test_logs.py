from __future__ import annotations

from dockyard.engines.logs import LONGEST, LogLine, joined

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
