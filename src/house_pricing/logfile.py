"""A log file that is bounded, and whose failure is news rather than an exception."""

from __future__ import annotations

import time
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

RETRY_SECONDS = 60.0


class LogFile:
    """Appends lines to a file, rotates it by size, and keeps `backups` older ones.

    A folder that is full, read-only or someone else's never disturbs the caller: `write` says once what is
    wrong, drops the lines, tries again every minute, and says once when it works again.

    Args:
        path: The file; its folder is made if it can be.
        max_bytes: Size at which the file is rotated.
        backups: How many rotated files are kept, as `path.1` (the newest) and so on.
        clock: A monotonic clock.
    """

    def __init__(self, path: Path, max_bytes: int, backups: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._backups = backups
        self._clock = clock
        self._stream: IO[bytes] | None = None
        self._size = 0
        self._failed_at: float | None = None

    def write(self, lines: Iterable[bytes]) -> str | None:
        """Append the lines; returns what people should be told, if anything."""
        if self._failed_at is not None and self._clock() - self._failed_at < RETRY_SECONDS:
            return None
        try:
            if self._stream is None or not self._path.exists():
                self._open()
            self._append(lines)
        except OSError as error:
            first = self._failed_at is None
            self._failed_at = self._clock()
            self.close()
            reason = f"{error.strerror or error}: {self._path}"
            return f"the log file cannot be written, stdout goes on: {reason}" if first else None
        recovered, self._failed_at = self._failed_at is not None, None
        return "the log file is written again" if recovered else None

    def close(self) -> None:
        """Close the file; a later `write` opens it again."""
        stream, self._stream = self._stream, None
        if stream is not None:
            try:
                stream.close()
            except OSError:
                return

    def _open(self) -> None:
        self.close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        stream = self._path.open("a+b", buffering=0)
        self._stream, self._size = stream, stream.seek(0, 2)
        if self._size:
            stream.seek(-1, 2)
            if stream.read(1) != b"\n":  # a full disk or a kill cut the last line
                self._put(b"\n")

    def _append(self, lines: Iterable[bytes]) -> None:
        chunk = bytearray()
        for line in lines:
            if self._size + len(chunk) + len(line) > self._max_bytes and self._size + len(chunk) > 0:
                self._put(chunk)
                chunk = bytearray()
                self._rotate()
            chunk += line
        self._put(chunk)

    def _put(self, data: bytes | bytearray) -> None:
        if self._stream is None:
            raise OSError("the log file is closed")
        left = memoryview(data)
        while left:
            count = self._stream.write(left)
            self._size += count
            left = left[count:]

    def _rotate(self) -> None:
        self.close()
        if self._backups == 0:
            self._path.unlink()
        for number in range(self._backups, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number - 1}") if number > 1 else self._path
            if older.exists():
                older.replace(self._path.with_name(f"{self._path.name}.{number}"))
        self._open()
