"""What an audit waits for: redrawn on a terminal, one line for each that ended when piped."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from dockyard.audit.gather import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.report.console import Console

REFRESH = 4
WORTH_A_LINE = 0.5


@contextmanager
def shown(console: Console) -> Iterator[Watch]:
    """Show what is waited for while the block runs; yield who must be told."""
    waiting = _Waiting()
    if console.live:
        with Live(waiting, console=console.err, refresh_per_second=REFRESH, transient=True):
            yield Watch(begun=waiting.begin, ended=waiting.end)
        return

    def ended(label: str) -> None:
        seconds = waiting.take(label)
        if seconds >= WORTH_A_LINE:
            console.note(f"{seconds:6.1f} s  {label}")

    yield Watch(begun=waiting.begin, ended=ended)


class _Waiting:
    """What has begun and not ended; told from several threads."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._running: dict[str, float] = {}
        self._done = 0
        self._lock = threading.Lock()
        self._spinner = Spinner("dots")

    def begin(self, label: str) -> None:
        with self._lock:
            self._running[label] = time.monotonic()

    def end(self, label: str) -> None:
        self.take(label)

    def take(self, label: str) -> float:
        """Return the seconds that it took, and forget it."""
        with self._lock:
            self._done += 1
            return time.monotonic() - self._running.pop(label)

    def __rich__(self) -> Group:
        now = time.monotonic()
        table = Table.grid(padding=(0, 1))
        table.add_column(justify="right", width=8)
        table.add_column(no_wrap=True, overflow="ellipsis")
        with self._lock:
            for label, begun in self._running.items():
                table.add_row(Text(f"{now - begun:.1f} s", style="yellow"), Text(label))
            told = f" gathering evidence, {now - self._begun:.0f} s; {self._done} done, waiting for"
        self._spinner.update(text=Text(told, style="cyan"))
        return Group(self._spinner, table)
