"""What was explained: one story for each step, and what to say of the build as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from dockyard.explain.installers import is_installer

if TYPE_CHECKING:
    from dockyard.explain.cause import Cause
    from dockyard.explain.nodes import Node


class Outcome(StrEnum):
    """What a step did, or would do."""

    RAN = "ran"
    CACHED = "cached"
    SKIPPED = "not needed"
    WILL_RUN = "runs"
    MAY_RUN = "may run"


class Note(StrEnum):
    """What is worth a word at a step that was cached."""

    TOUCHED = "touched"
    KNOWN = "known"
    SAME_RESULT = "same-result"
    SECRET = "secret"  # noqa: S105 - it names a note
    MERGED = "merged"


@dataclass(frozen=True, kw_only=True)
class StepStory:
    """One step.

    Attributes:
        label: What BuildKit prints in brackets, for instance `builder 4/8`.
        instruction: What BuildKit calls it.
        seconds: How long it ran; of one that will run, how long it took the last time.
        causes: The first cause; several where several things changed at once, in one step.
        chain: Labels from the step before this one down to the one with the cause; empty if the cause is its own.
        note: A word on a cached step.
        about: What the note is about.
        text: The instruction as written.
        installs: Whether it fetches dependencies, which nobody wants to wait for.
    """

    label: str
    instruction: str
    text: str
    line: int
    outcome: Outcome
    seconds: float = 0.0
    causes: tuple[Cause, ...] = ()
    chain: tuple[str, ...] = ()
    installs: bool = False
    note: Note | None = None
    about: tuple[str, ...] = ()


def begun(node: Node, outcome: Outcome) -> StepStory:
    """Return a story that names its step, and what it did."""
    return StepStory(
        label=node.label,
        instruction=node.printed,
        text=node.text,
        line=node.line,
        outcome=outcome,
        installs=is_installer(node),
    )


@dataclass(frozen=True, kw_only=True)
class Hint:
    """A step that makes a costly one run needlessly.

    Attributes:
        step: The step that changes often.
        line: Its line.
        costly: The step that stands behind it, and does not use it.
        costly_line: Its line.
        seconds: What moving it saves for each edit.
        alone: The file that the costly step reads, where both come by the same COPY.
    """

    step: str
    line: int
    costly: str
    costly_line: int
    seconds: float
    alone: str = ""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A build, explained.

    Attributes:
        record: Its name; empty for a build that has not been.
        against: The name of the record it was compared with; empty if there was none.
        image: What was built.
        unused: Files of `--what-if` that no step takes, and the pattern that keeps each out.
    """

    record: str
    against: str
    image: str
    dockerfile: str
    steps: tuple[StepStory, ...]
    hints: tuple[Hint, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()

    @property
    def ran(self) -> tuple[StepStory, ...]:
        """The steps that ran, or would run."""
        return tuple(each for each in self.steps if each.outcome not in (Outcome.CACHED, Outcome.SKIPPED))

    @property
    def seconds(self) -> float:
        """How long those took, or would take."""
        return sum(each.seconds for each in self.ran)
