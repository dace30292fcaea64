"""A running build on a terminal: a group for each stage, redrawn, and never higher than the terminal."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from rich.live import Live
from rich.text import Text

from dockyard.build import Outlook, estimate, exports
from dockyard.report.progress_words import counted, end, last_line, lasting, moved, name_of, outcome, short, transferred

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console as RichConsole
    from rich.console import ConsoleOptions, RenderResult

    from dockyard.build import Progress, Step, Times
    from dockyard.report.console import Console

REFRESH = 6
PREPARATION, EXPORT, ONLY_STAGE = "preparation", "export", "Dockerfile"
BAR, LEAST_BAR = 30, 8
INDENT = " " * 10
# What is left out, one after the other, where the terminal is too short: finished steps, then groups in which nothing
# runs, then what steps print.
FOLDED, BUSY, BARE = 1, 2, 3
STYLES = {"failed": "bold red", "stopped": "yellow"}


@contextmanager
def redrawn(
    console: Console, stages: Callable[[], Sequence[str]], times: Callable[[], Times]
) -> Iterator[Callable[[Progress], None]]:
    """Draw a build while the block runs; yield what must be told of each message."""
    display = _Display(stages, times)
    with Live(display, console=console.err, refresh_per_second=REFRESH, transient=True):
        yield display.update


@dataclass(frozen=True, kw_only=True)
class _Group:
    """The steps of a stage, or those of BuildKit's own before and after all stages."""

    name: str
    steps: tuple[Step, ...]

    @property
    def running(self) -> list[Step]:
        return [step for step in self.steps if step.running]

    @property
    def ended(self) -> list[Step]:
        """Those that ran; a base that was there already did not."""
        return [step for step in self.steps if step.completed and not step.cached and (not step.number or _worth(step))]

    @property
    def listed(self) -> bool:
        """Whether each of its finished steps gets a line: nobody wonders about BuildKit's own."""
        return self.name not in (PREPARATION, EXPORT)

    def summary(self, *, folded: bool) -> str:
        """Return how many of its steps have no line of their own."""
        cached = sum(step.cached for step in self.steps if step.counts)
        ended = self.ended if folded or not self.listed else []
        waiting = sum(not (step.started or step.completed or step.cached) for step in self.steps if step.counts)
        parts = [
            f"{counted(cached)} cached" if cached else "",
            f"{counted(len(ended))} in {lasting(sum(step.seconds for step in ended))}" if ended else "",
            f"{counted(waiting)} to come" if waiting else "",
        ]
        return ", ".join(filter(None, parts))


class _Display:
    """What is drawn: told of each message by one thread, and drawn by another."""

    def __init__(self, stages: Callable[[], Sequence[str]], times: Callable[[], Times]) -> None:
        self._stages = cache(stages)
        self._times = cache(times)
        self._outlook = Outlook()
        self._begun = time.monotonic()
        self._progress: Progress | None = None
        self._since: dict[int, float] = {}

    def update(self, progress: Progress) -> None:
        """Take note of when steps began; a long output costs no more than that."""
        self._progress = progress
        for step in progress.touched:
            if step.running:
                self._since.setdefault(id(step), time.monotonic())
            else:
                self._since.pop(id(step), None)

    def __rich_console__(self, console: RichConsole, options: ConsoleOptions) -> RenderResult:
        steps = self._progress.steps if self._progress else ()
        pen = _Pen(options.max_width, ascii_only=options.ascii_only)
        groups = _groups(steps, self._stages()) if steps else []
        # One row is the cursor's.
        room = max(console.size.height - 1, 2) - 1
        lines: list[Text] = []
        for level in range(BARE + 1):
            lines = [line for group in groups for line in self._drawn(group, level, pen)]
            if len(lines) <= room:
                break
        else:
            left_out = len(lines) - room + 1
            lines = [*lines[: room - 1], pen.line(f"  … {counted(left_out, 'line')} more")]
        yield Text("\n").join([*lines, self._bottom(steps, pen)])

    def _running_for(self, step: Step) -> float:
        now = time.monotonic()
        return now - self._since.get(id(step), now)

    def _drawn(self, group: _Group, level: int, pen: _Pen) -> Iterator[Text]:
        """Yield the lines of a group; of a base that was there, for instance, there is nothing to tell."""
        if level >= BUSY and not group.running:
            return
        summary, steps = group.summary(folded=level >= FOLDED), list(self._of_steps(group, level, pen))
        if summary or steps:
            yield pen.line(group.name, "bold cyan", f"  {summary}", "dim")
            yield from steps

    def _of_steps(self, group: _Group, level: int, pen: _Pen) -> Iterator[Text]:
        """Yield the lines of those steps of a group that have one."""
        for step in group.steps:
            if step.running:
                seconds = self._running_for(step)
                yield pen.line(f"{lasting(seconds):>8}  ", "yellow", pen.name(step), "bold")
                if level < BARE:
                    yield from self._detail(step, seconds, pen)
            elif step.error or (level < FOLDED and group.listed and step in group.ended):
                told = outcome(step)
                yield pen.line(f"{told:>8}  ", STYLES.get(told, "green"), pen.name(step), "")

    def _detail(self, step: Step, seconds: float, pen: _Pen) -> Iterator[Text]:
        """Yield what a running step transfers, or what it last said."""
        now, total = moved(step)
        if total:
            bar = pen.bar(now / total, BAR if pen.width > 2 * BAR + len(INDENT) else BAR // 2)
            yield pen.cut(Text(INDENT) + bar + Text(f" {transferred(step, seconds)}"))
        elif now:
            yield pen.line(f"{INDENT}{transferred(step, seconds)}", "dim")
        said = last_line(step) or (next(reversed(list(step.transfers)), "") if exports(step) else "")
        if said:
            yield pen.line(f"{INDENT}{short(said, pen.width)}", "dim")

    def _bottom(self, steps: Sequence[Step], pen: _Pen) -> Text:
        """Return the last line: how far it is, since when, until when."""
        elapsed = time.monotonic() - self._begun
        if steps:
            self._outlook.take(estimate(steps, self._times(), self._running_for), elapsed)
        counts = [step for step in steps if step.counts]
        done = sum(bool(step.completed) for step in counts)
        until = end(self._outlook)
        if until:
            share, told = self._outlook.share, [f"{self._outlook.share:.0%}", *until.split(", ")]
        else:
            share, told = (
                (done / len(counts), [f"{done} of {counted(len(counts))}"]) if counts else (0.0, ["preparing"])
            )
        told.insert(0, lasting(elapsed))
        # Where there is no room, what the estimate is made from is left out first.
        while len(told) > 1 and len(", ".join(told)) + LEAST_BAR + 1 > pen.width:
            told.pop()
        text = ", ".join(told)
        return pen.cut(pen.bar(share, min(BAR, pen.width - len(text) - 1)) + Text(f" {text}", style="cyan"))


class _Pen:
    """Writes lines that fit.

    Args:
        width: Of the terminal, in columns.
        ascii_only: Whether it has nothing but ASCII.
    """

    def __init__(self, width: int, *, ascii_only: bool) -> None:
        self.width = width
        self._ascii = ascii_only

    def line(self, text: str, style: str = "", more: str = "", more_style: str = "") -> Text:
        """Return a line of one or two parts."""
        return self.cut(Text.assemble((self._plain(text), style), (self._plain(more), more_style)))

    def name(self, step: Step) -> str:
        """Return a step without its stage, which is told above it."""
        return name_of(step, staged=False, width=self.width)

    def bar(self, share: float, width: int) -> Text:
        """Return a bar; what is done is told from what is not by its form, since there may be no colours."""
        full, empty = ("#", "-") if self._ascii else ("━", "╌")
        done = round(min(max(share, 0.0), 1.0) * max(width, 0))
        return Text.assemble((full * done, "green"), (empty * (width - done), "dim"))

    def cut(self, line: Text) -> Text:
        """Return a line that is no wider than the terminal."""
        line.no_wrap = True
        line.truncate(self.width, overflow="crop" if self._ascii else "ellipsis")
        return line

    def _plain(self, text: str) -> str:
        return text.replace("…", "...").encode("ascii", "replace").decode() if self._ascii else text


def _groups(steps: Sequence[Step], stages: Sequence[str]) -> list[_Group]:
    """Return the groups in the order of the Dockerfile, as far as it is known, else as BuildKit named them."""
    found: dict[str, list[Step]] = {}
    for step in steps:
        own = EXPORT if exports(step) else PREPARATION
        found.setdefault((step.stage or ONLY_STAGE) if step.number else own, []).append(step)
    # A stage is called so once for each platform, if there are several.
    places = {PREPARATION: -1, EXPORT: len(stages) + 1, **{name: place for place, name in enumerate(stages)}}
    order = sorted(found, key=lambda name: places.get(name, places.get(name.split()[-1], len(stages))))
    return [_Group(name=name, steps=tuple(sorted(found[name], key=lambda step: step.number))) for name in order]


def _worth(step: Step) -> bool:
    """Whether a finished step is work: an instruction, or a base that had to be fetched."""
    return step.counts or bool(moved(step)[0])
