"""Bytes on their way: read ahead in a thread, and handed out in pieces."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, Queue
from threading import Event, Thread
from typing import TYPE_CHECKING, TypeVar

from dockyard.image.notes import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from pathlib import Path

Item = TypeVar("Item")

CHUNK = 1 << 20
# Chunks between two threads: enough for the sender never to wait, and 16 MB at most.
AHEAD = 16
# A thread that waits for a slow source is not waited for longer: it ends by itself with the source.
END_SECONDS = 1
CUT = "It is cut off in the middle."


def chunks_of(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def grouped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in chunks of a size that is worth a thread's while."""
    parts: list[bytes] = []
    size = 0
    try:
        for chunk in chunks:
            parts.append(chunk)
            size += len(chunk)
            if size >= CHUNK >> 1:
                yield b"".join(parts)
                parts, size = [], 0
        if size:
            yield b"".join(parts)
    finally:
        _close(chunks)


def ahead(items: Iterable[Item]) -> Generator[Item, None, None]:
    """Yield the same items, made in a thread of their own; what is raised there is raised here."""
    queue: Queue[tuple[Item | None, BaseException | None]] = Queue(AHEAD)
    stopped = Event()
    thread = Thread(target=_make, args=(items, queue.put, stopped.is_set), daemon=True)
    thread.start()
    try:
        while True:
            item, raised = queue.get()
            if raised:
                raise raised
            if item is None:
                return
            yield item
    finally:
        stopped.set()
        # Makes room, should the thread wait for it.
        with suppress(Empty):
            while True:
                queue.get_nowait()
        thread.join(END_SECONDS)


def _make(
    items: Iterable[Item],
    put: Callable[[tuple[Item | None, BaseException | None]], None],
    stopped: Callable[[], bool],
) -> None:
    """Make the items until they end or nobody wants them."""
    raised: BaseException | None = None
    try:
        for item in items:
            put((item, None))
            if stopped():
                return
    except BaseException as error:
        raised = error
    finally:
        # A generator ends in the thread that ran it.
        _close(items)
    put((None, raised))


def _close(items: Iterable[object]) -> None:
    if close := getattr(items, "close", None):
        close()


class Source:
    """Chunks of bytes, handed out in pieces that are not copied where that can be helped."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = b""
        self._start = 0
        self._passed = 0

    @property
    def position(self) -> int:
        """How many bytes were taken."""
        return self._passed + self._start

    def need(self, size: int) -> bool:
        """Have so many bytes in one buffer; False where the stream has fewer."""
        have = len(self._buffer) - self._start
        if have >= size:
            return True
        parts = [self._buffer[self._start :]] if have else []
        self._passed += self._start
        for chunk in self._chunks:
            parts.append(chunk)
            have += len(chunk)
            if have >= size:
                break
        self._buffer, self._start = b"".join(parts), 0
        return have >= size

    def pieces(self, size: int, *, whole: int) -> Iterator[tuple[bytes, int, int]]:
        """Yield a buffer, and where in it the next bytes begin and end; together so many.

        Args:
            size: How many bytes.
            whole: The first piece has all of them, or this many at least.

        Raises:
            Fault: The stream has fewer.
        """
        at_least = min(size, whole)
        while size:
            if not self.need(at_least):
                raise Fault(CUT)
            start = self._start
            end = min(len(self._buffer), start + size)
            self._start = end
            size -= end - start
            at_least = min(size, 1)
            yield self._buffer, start, end

    def take(self, size: int) -> bytes:
        """Return so many bytes in one."""
        if not self.need(size):
            raise Fault(CUT)
        self._start += size
        return self._buffer[self._start - size : self._start]

    def skip(self, size: int) -> None:
        """Leave so many bytes out."""
        if len(self._buffer) - self._start >= size:
            self._start += size
            return
        for _ in self.pieces(size, whole=1):
            pass
