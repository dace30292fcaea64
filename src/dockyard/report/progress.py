"""A running build, shown: redrawn on a terminal, one line for each finished step when piped."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockyard.build import BuildRecord, Progress, Step
    from dockyard.report.console import Console

REFRESH = 8
NAME_WIDTH = 90
UNITS = ("B", "kB", "MB", "GB")
SCALE = 1000


@contextmanager
def shown(console: Console, mode: str) -> Iterator[Callable[[Progress], None]]:
    """Show a build while the block runs; yield what must be told of each message.

    Args:
        console: Where.
        mode: `auto`, `tty`, `plain` or `quiet`.
    """
    if mode == "quiet" or console.quiet:
        yield lambda _: None
    elif mode == "tty" or (mode == "auto" and console.live):
        display = _Redrawn()
        with Live(display, console=console.err, refresh_per_second=REFRESH, transient=True):
            yield display.update
    else:
        yield _OneByOne(console).update


def summary(record: BuildRecord) -> str:
    """Return the line that ends a build."""
    ran = [step for step in record.steps if step.counts and not step.cached]
    slowest = max(ran, key=lambda step: step.seconds, default=None)
    cached = "all" if record.cached == record.counted else f"{record.cached} of"
    told = f"{record.tags[0]} built in {record.seconds:.1f} s: {cached} {record.counted} steps cached"
    if slowest and slowest.seconds >= 1:
        told += f"; the longest, {short(slowest.name)}, took {slowest.seconds:.1f} s"
    return f"{told}.\n{record.digest}"


def short(name: str, width: int = NAME_WIDTH) -> str:
    """Return a step's name on one line without its mounts, cut to a width."""
    flat = re.sub(r"\s+", " ", re.sub(r"--mount=\S+\s*", "", name))
    return flat if len(flat) <= width else f"{flat[: width - 1]}…"


def amount(count: int) -> str:
    """Return a number of bytes for people, in powers of 1000, as Docker writes them."""
    value = float(count)
    for unit in UNITS:
        if value < SCALE or unit == UNITS[-1]:
            break
        value /= SCALE
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


class _OneByOne:
    """One line for each step that ended, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: set[str] = set()

    def update(self, progress: Progress) -> None:
        for step in progress.steps:
            if step.completed and step.name not in self._told:
                self._told.add(step.name)
                self._console.note(f"{_outcome(step):>8}  {short(step.name)}")


class _Redrawn:
    """Cached and finished steps folded into a line, running ones with their time and last output."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._begun = time.monotonic()
        self._started: dict[str, float] = {}
        self._spinner = Spinner("dots")

    def update(self, progress: Progress) -> None:
        self._progress = progress
        for step in progress.steps:
            if step.running:
                self._started.setdefault(step.name, time.monotonic())

    def __rich__(self) -> Group:
        steps = self._progress.steps if self._progress else ()
        table = Table.grid(padding=(0, 1))
        table.add_column(justify="right", width=8)
        table.add_column(no_wrap=True, overflow="ellipsis")
        for step in sorted(steps, key=lambda step: step.started):
            if step.running:
                seconds = time.monotonic() - self._started.get(step.name, time.monotonic())
                table.add_row(Text(f"{seconds:.1f} s", style="yellow"), Text(short(step.name), style="bold"))
                detail = _detail(step)
                if detail:
                    table.add_row("", Text(detail, style="dim"))
            elif step.completed and not step.cached and step.counts:
                table.add_row(Text(_outcome(step), style="green"), Text(short(step.name)))
        cached = sum(step.cached for step in steps if step.counts)
        told = f" building, {time.monotonic() - self._begun:.0f} s" + (f"; {cached} steps cached" if cached else "")
        self._spinner.update(text=Text(told, style="cyan"))
        return Group(table, self._spinner)


def _outcome(step: Step) -> str:
    if step.error:
        return "failed"
    return "cached" if step.cached else f"{step.seconds:.1f} s"


def _detail(step: Step) -> str:
    """Return what a running step last printed, or what it transfers."""
    if step.log:
        return short(step.log[-1])
    moved = [(current, total) for current, total in step.transfers.values() if current]
    if not moved:
        return ""
    current, total = (sum(part) for part in zip(*moved, strict=True))
    return amount(current) + (f" of {amount(total)}" if total else "")
