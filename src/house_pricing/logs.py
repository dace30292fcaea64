"""One JSON object per line: on stdout always, and in a file where there is one.

Lines are gathered and written by a thread, a fifth of a second later at most, so that a slow disk or a blocked
stdout never holds up an answer. Nothing a client sends reaches a line unless it is well-formed and printable.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import traceback
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from house_pricing.logfile import LogFile

if TYPE_CHECKING:
    from types import TracebackType

    from house_pricing.settings import Settings

FILE_NAME = "house-pricing-api.log"
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
FLUSH_SECONDS = 0.2
MAX_PENDING = 20_000
MAX_TEXT = 1_000
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make an encoder for every line


class Log:
    """Writes events.

    Args:
        level: Least level that is written.
        stdout: File descriptor of the stream that is always written.
        file: The log file, if any.
    """

    def __init__(self, level: str = "info", stdout: int = 1, file: LogFile | None = None) -> None:
        self._least = LEVELS[level]
        self._stdout = stdout
        self._file = file
        self._pending: deque[bytes] = deque()  # its appends and pops are safe between threads
        self._dropped = 0
        self._writing = threading.Lock()
        self._waiting = threading.Event()
        self._urgent = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def event(self, level: str, event: str, **fields: object) -> None:
        """Add one line; `fields` keep their order. Warnings and errors are written at once."""
        if LEVELS[level] < self._least:
            return
        if len(self._pending) >= MAX_PENDING:
            self._dropped += 1
            return
        self._pending.append(_render(level, event, fields))
        if self._thread is None and not self._closed:
            self._start()
        if level in {"warning", "error"}:
            self._urgent.set()
        if not self._waiting.is_set():
            self._waiting.set()

    def flush(self) -> None:
        """Write what is pending."""
        with self._writing:
            lines = [self._pending.popleft() for _ in range(len(self._pending))]
            dropped, self._dropped = self._dropped, 0
            if dropped:
                lines.append(_render("warning", "log_lines_dropped", {"count": dropped}))
            if not lines:
                return
            self._print(b"".join(lines))
            news = self._file.write(lines) if self._file else None
            if news:
                self._print(_render("warning", "log_file", {"message": news}))

    def close(self) -> None:
        """Write what is pending and end the thread."""
        self._closed = True
        self._urgent.set()
        self._waiting.set()
        if self._thread is not None:
            self._thread.join(timeout=2.0)  # a blocked stdout must not hold up the end
        if self._thread is None or not self._thread.is_alive():
            self.flush()
            if self._file:
                self._file.close()

    def _start(self) -> None:
        with self._writing:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._closed:
            self._waiting.wait()
            self._urgent.wait(FLUSH_SECONDS)
            self._waiting.clear()
            self._urgent.clear()
            self.flush()

    def _print(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._stdout, left) :]
        except OSError:
            return  # nobody reads stdout any more; there is no place left to say so


def open_log(settings: Settings) -> Log:
    """The log the settings describe."""
    file = None
    if settings.log_dir:
        path = Path(settings.log_dir) / FILE_NAME
        file = LogFile(path, settings.log_max_bytes, settings.log_backups)
    return Log(settings.log_level, file=file)


class Bridge(logging.Handler):
    """Gives the lines of uvicorn and other libraries the same form."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; of an exception only its type and place, as its text may quote a request."""
        level = "error" if record.levelno >= logging.ERROR else record.levelname.lower()
        fault = describe(record.exc_info[1]) if record.exc_info and record.exc_info[1] else {}
        self._log.event(
            level if level in LEVELS else "info",
            "library",
            logger=record.name,
            message=record.getMessage(),
            **fault,
        )


def describe(error: BaseException) -> dict[str, str]:
    """The type of an exception and where it rose, without its text."""
    return {"error": type(error).__name__, "where": _where(error.__traceback__)}


def _where(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)[-6:]
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)


def _render(level: str, event: str, fields: dict[str, object]) -> bytes:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line: dict[str, object] = {"ts": now, "level": level, "event": event}
    for name, value in fields.items():
        line[name] = _clean(value) if isinstance(value, str) else value
    return _ENCODE(line).encode() + b"\n"


def _clean(text: str) -> str:
    """Text a terminal shows as it is, even after a viewer has undone JSON's escapes."""
    text = text[:MAX_TEXT]
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
