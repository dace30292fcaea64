"""A running build in lines, for logs and pipes: one for each step that ended, and signs of life of slow ones."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dockyard.report.progress_words import last_line, moved, name_of, outcome, short, transferred

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockyard.build import Progress, Step
    from dockyard.report.console import Console

# A step that runs for so long says so, again and again: CI stops what seems to hang, and so do people.
INTERVAL = 30


@contextmanager
def in_lines(console: Console) -> Iterator[Callable[[Progress], None]]:
    """Print a build's lines while the block runs; yield what must be told of each message."""
    lines, ended = _Lines(console), threading.Event()

    def beat() -> None:
        while not ended.wait(1):
            lines.beat(time.monotonic())

    # A daemon: nobody waits for it, should the program end in the middle.
    beating = threading.Thread(target=beat, daemon=True)
    beating.start()
    try:
        yield lines.update
    finally:
        ended.set()
        beating.join()


class _Lines:
    """What was told of which step; told of messages and of the time by two threads."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: set[str] = set()
        self._running: dict[int, tuple[Step, float]] = {}
        self._beats: dict[int, int] = {}
        self._lock = threading.Lock()

    def update(self, progress: Progress) -> None:
        """Tell of the steps that ended with the last message."""
        with self._lock:
            for step in progress.touched:
                if step.running:
                    self._running.setdefault(id(step), (step, time.monotonic()))
                elif step.completed:
                    self._running.pop(id(step), None)
                    self._beats.pop(id(step), None)
                    self._tell(step)

    def beat(self, now: float) -> None:
        """Tell of the steps that have been running for one more interval."""
        with self._lock:
            for at, (step, begun) in self._running.items():
                beats = int((now - begun) / INTERVAL)
                if beats > self._beats.get(at, 0):
                    self._beats[at] = beats
                    self._console.note(f"{f'{beats * INTERVAL} s …':>8}  {name_of(step)}")
                    if sign := last_line(step) or (transferred(step, now - begun) if moved(step)[0] else ""):
                        self._console.note(f"{'':8}  | {short(sign)}", style="dim")

    def _tell(self, step: Step) -> None:
        if step.name not in self._told:
            self._told.add(step.name)
            self._console.note(f"{outcome(step):>8}  {name_of(step)}")
