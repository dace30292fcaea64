"""A running build, shown: redrawn on a terminal, one line for each finished step when piped."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dockyard.build import Times
from dockyard.report.progress_plain import in_lines
from dockyard.report.progress_words import short

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dockyard.build import BuildRecord, Progress
    from dockyard.report.console import Console


@contextmanager
def shown(
    console: Console, mode: str, stages: Callable[[], Sequence[str]] = tuple, times: Callable[[], Times] = Times
) -> Iterator[Callable[[Progress], None]]:
    """Show a build while the block runs; yield what must be told of each message.

    Args:
        console: Where.
        mode: `auto`, `tty`, `plain` or `quiet`.
        stages: Returns the stages in the order in which they are shown.
        times: Returns what steps took in earlier builds.
    """
    if mode == "quiet" or console.quiet:
        yield lambda _: None
    elif mode == "tty" or (mode == "auto" and console.live):
        from dockyard.report.progress_live import redrawn  # noqa: PLC0415 - a pipe needs none of it

        with redrawn(console, stages, times) as watch:
            yield watch
    else:
        with in_lines(console) as watch:
            yield watch


def summary(record: BuildRecord) -> str:
    """Return the line that ends a build."""
    ran = [step for step in record.steps if step.counts and not step.cached]
    slowest = max(ran, key=lambda step: step.seconds, default=None)
    cached = "all" if record.cached == record.counted else f"{record.cached} of"
    told = f"{record.tags[0]} built in {record.seconds:.1f} s: {cached} {record.counted} steps cached"
    if slowest and slowest.seconds >= 1:
        told += f"; the longest, {short(slowest.name)}, took {slowest.seconds:.1f} s"
    return f"{told}.\n{record.digest}"
