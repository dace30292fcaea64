"""The words of a running build: steps, bytes and seconds for people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard.report.words import harmless
from dockyard.units import amount

if TYPE_CHECKING:
    from dockyard.build import Outlook, Step

NAME_WIDTH = 90
MINUTE = 60
# From here on the tenth of a second says nothing.
LONG = 100
# A build that is so late, in seconds, takes longer than usual.
LATE = 2


def short(name: str, width: int = NAME_WIDTH) -> str:
    """Return a step's name on one line without its mounts, cut to a width."""
    flat = re.sub(r"\s+", " ", re.sub(r"--mount=\S+\s*", "", name))
    return flat if len(flat) <= width else f"{flat[: width - 1]}…"


def lasting(seconds: float) -> str:
    """Return how long something took, for people."""
    if seconds < LONG:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // MINUTE}m {int(seconds) % MINUTE:02}s"


def outcome(step: Step) -> str:
    """Return how a step ended."""
    if step.error:
        return "stopped" if step.cancelled else "failed"
    return "cached" if step.cached else lasting(step.seconds)


def last_line(step: Step) -> str:
    """Return what a step last printed; empty if it printed nothing."""
    return next(iter(step.log[-1:]), "")


def moved(step: Step) -> tuple[int, int]:
    """Return the bytes that a step has transferred, and of how many; 0 if that is not known."""
    sizes = [(now, total) for now, total in list(step.transfers.values()) if now]
    total = sum(total for _, total in sizes) if all(total for _, total in sizes) else 0
    return sum(now for now, _ in sizes), total


def transferred(step: Step, seconds: float) -> str:
    """Return what a step has transferred in how many seconds; the rate only where the end is known."""
    now, total = moved(step)
    if not total:
        return amount(now)
    rate = f", {amount(int(now / seconds))}/s" if seconds >= 1 else ""
    return f"{amount(now)} of {amount(total)}{rate}"


def counted(number: int, what: str = "step") -> str:
    """Return a number of things."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def end(outlook: Outlook) -> str:
    """Return when a build ends, as far as that is known."""
    if outlook.left is None:
        return ""
    if outlook.left < 1 and outlook.late >= LATE:
        return f"{lasting(round(outlook.late)).replace('.0 ', ' ')} longer than usual"
    if outlook.left < 1:
        return "almost done" if outlook.whole else ""
    about = "about" if outlook.whole else "at least"
    seconds = lasting(round(outlook.left)).replace(".0 ", " ")
    return f"{about} {seconds} left, from {counted(outlook.builds, 'earlier build')}"


def name_of(step: Step, *, staged: bool = True, width: int = NAME_WIDTH) -> str:
    """Return what a step is called, whatever is in it, without the digest of a base.

    Args:
        step: Of the Dockerfile, or BuildKit's own.
        staged: Whether its stage is said too.
        width: What it is cut to.
    """
    name = step.name if staged else step.instruction or step.name
    return short(harmless(re.sub(r"@sha256:[0-9a-f]+", "", name)), width)
