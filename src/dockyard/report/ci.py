"""What `invoke ci` says: a line for each step."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from rich.text import Text

from dockyard.report.words import clipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from dockyard.report.console import Console
    from dockyard.workflow import Leg, Local, Outcome

WIDTH = 52


def listed(console: Console, legs: Iterable[tuple[Leg, Sequence[Local]]]) -> None:
    """List the steps, and of each whether it is run here."""
    for leg, steps in legs:
        begun(console, leg)
        for step in steps:
            console.verdict("not-run" if step.reason else "run", _cut(step.label), step.reason, width=WIDTH)


def begun(console: Console, leg: Leg) -> None:
    """Head the steps of a leg."""
    console.say(leg.name)


def outcome(console: Console, told: Outcome) -> None:
    """Say how a step ended."""
    console.verdict(told.verdict, _cut(told.label), told.detail, width=WIDTH)


@contextmanager
def running(console: Console, text: str, *, live: bool) -> Iterator[None]:
    """Say what runs; on a terminal that line is gone afterwards."""
    if live and console.live:
        since = f" (since {datetime.now():%H:%M:%S})"
        with console.err.status(Text(clipped(text, console.err.width - len(since) - 4) + since)):
            yield
    else:
        console.note(f"… {text}")
        yield


def ended(console: Console, told: Sequence[Outcome], summary: Path | None) -> None:
    """Say how many steps ended how, and where the summary of the jobs is."""
    counts = {verdict: sum(each.verdict == verdict for each in told) for verdict in ("pass", "waived", "not-run")}
    said = ", ".join(f"{count} {verdict.replace('-', ' ')}" for verdict, count in counts.items() if count)
    console.say(f"{said or 'no step'}; what was not run is GitHub's alone, or needs what this machine has not")
    if summary:
        console.note(f"The summary that GitHub would show: {summary}")


def _cut(label: str) -> str:
    return clipped(label, WIDTH)
