"""A container's log with the engine's own times: what a reader needs who begins, stops and goes on."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dockyard.engines.daemon import guarded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dockyard.engines.daemon import Daemon

# The engine cuts long lines into frames; a line that never ends must not fill our memory.
LONGEST = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line.

    Attributes:
        time: When the engine got it, `2026-11-23T08:15:15.032977846Z`; as text in the order of time.
        text: The line byte for byte, without its end.
    """

    time: str
    text: bytes


def read_log(daemon: Daemon, container: str, *, since: str = "", follow: bool = False) -> Iterator[LogLine]:
    """Yield a container's log line by line, of both its streams.

    Args:
        daemon: The engine's socket.
        container: Its id.
        since: Only lines of this time, as of a LogLine, or later.
        follow: Go on until the container ends.

    Raises:
        EngineError: There is no such container, or the engine does not answer.
    """
    yield from (line for line in joined(_frames(daemon, container, since, follow=follow)) if line.time >= since)


def last_lines(daemon: Daemon, container: str, lines: int, *, since: str = "") -> Iterator[LogLine]:
    """Yield the last lines of a container's log, those since a time.

    The engine counts frames. Only if none of them is a part of a line, that before the first included, are they lines;
    else all of the log is read, of which no more than those lines are kept.
    """
    frames = list(_frames(daemon, container, since, tail=lines + 1))
    if all(frame.endswith(b"\n") for frame in frames[:-1]):
        found: Iterable[LogLine] = joined(frames)
    else:
        found = read_log(daemon, container, since=since)
    yield from deque((line for line in found if line.time >= since), maxlen=lines)


def _frames(daemon: Daemon, container: str, since: str, **options: Any) -> Iterator[bytes]:
    asked: dict[str, Any] = {"follow": False, **options}
    if since:
        # To the microsecond; what the engine has too many is dropped by whoever asked.
        asked["since"] = datetime.fromisoformat(since).timestamp()
    with guarded(f"It was asked for the log of {container}."):
        yield from daemon.api.logs(container, stream=True, timestamps=True, **asked)


def joined(frames: Iterable[bytes]) -> Iterator[LogLine]:
    """Yield the lines that frames make: each frame begins with a time, and those of one line with the same."""
    time, rest = "", b""
    for frame in frames:
        stamp, _, text = frame.partition(b" ")
        now = stamp.decode("ascii", "replace")
        if rest and (now != time or len(rest) > LONGEST):
            yield LogLine(time=time, text=rest)
            rest = b""
        time, rest = now, rest + text
        if rest.endswith(b"\n"):
            yield LogLine(time=time, text=rest.rstrip(b"\r\n"))
            rest = b""
    if rest:
        yield LogLine(time=time, text=rest)
