"""How long a running build still takes, by what its steps took in earlier ones. Pure: steps -> seconds."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from dockyard.build.steps import Step

# So many of the last times that a step ran are asked, and so many builds that handed on an image like this one.
TIMES, ALIKE = 5, 3
# So long, in seconds, a build looks for what is cached; an estimate would count those steps too.
SETTLED = 1.0
# A build that still runs is not done, however late it is.
NEVER_DONE = 0.99
EXPORTS = ("exporting", "pushing", "sending", "importing to", "copying", "unpacking")


def exports(step: Step) -> bool:
    """Whether it hands the finished image on."""
    return step.name.startswith(EXPORTS)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What is known of a build's end.

    Attributes:
        left: Seconds that are still to come.
        usual: Seconds that all its steps take, those that were cached left out, from the first to the last.
        builds: From how many earlier builds this is known.
        whole: Whether it is known of every step that is still to run.
    """

    left: float
    usual: float
    builds: int
    whole: bool = True


class Times:
    """What each step took in earlier builds.

    Args:
        builds: The steps of each, the newest build first.
    """

    def __init__(self, builds: Iterable[Iterable[Step]] = ()) -> None:
        self._known: dict[str, dict[int, float]] = defaultdict(dict)
        self._exports: dict[int, float] = defaultdict(float)
        self._ran: dict[int, set[str]] = defaultdict(set)
        for number, steps in enumerate(builds):
            for step in steps:
                if step.completed and not step.cached and not step.error:
                    self._take(number, step)

    def _take(self, number: int, step: Step) -> None:
        if exports(step):
            # They may be several, one after the other.
            self._exports[number] += step.seconds
            return
        for key in _keys(step):
            self._known[key][number] = step.seconds
        if step.counts:
            self._ran[number].add(_keys(step)[0])

    def of(self, step: Step) -> tuple[float, frozenset[int]] | None:
        """Return what a step takes and the builds that say so, or None: the one with its text, or the one in its place.

        BuildKit's own steps have but one of these.
        """
        known = next((self._known[key] for key in _keys(step) if key in self._known), None)
        return _median(sorted(known), known, TIMES) if known else None

    def export(self, steps: Iterable[Step]) -> tuple[float, frozenset[int]] | None:
        """Return the same of handing the image on, by the builds that ran about what this one runs.

        It takes long for layers that are new, and no time for those that were there.
        """
        ran = {_keys(step)[0] for step in steps if step.counts and not step.cached}
        order = sorted(self._exports, key=lambda number: (-_likeness(ran, self._ran[number]), number))
        return _median(order, self._exports, ALIKE) if order else None


def estimate(steps: Sequence[Step], times: Times, running_for: Callable[[Step], float]) -> Estimate | None:
    """Return how long a build still takes; None while its steps are not known, or nothing is known of those to come.

    Steps wait for what they stand on and for nothing else, so the longest chain counts and not the sum.

    Args:
        steps: All that are known, as they are now.
        times: What they took earlier.
        running_for: Returns for how long a step has been running; 0 if it is not.
    """
    if not any(step.counts for step in steps):
        return None
    left, usual, builds, whole = {}, {}, set[int](), True
    for step in steps:
        if exports(step):
            continue
        told = times.of(step)
        done = bool(step.completed) or step.cached
        usual[step.name] = 0.0 if step.cached else told[0] if told else step.seconds
        left[step.name] = 0.0 if done else max(usual[step.name] - running_for(step), 0.0)
        if not done:
            builds |= told[1] if told else set()
            whole = whole and told is not None
    handing, handed = times.export(steps), [step for step in steps if exports(step)]
    last = handing[0] if handing else 0.0
    if handing and not (handed and all(step.completed for step in handed)):
        builds |= handing[1]
    if not builds:
        return None
    needs = {step.name: step.inputs for step in steps}
    return Estimate(
        left=_longest(left, needs) + max(last - sum(step.seconds + running_for(step) for step in handed), 0.0),
        usual=_longest(usual, needs) + last,
        builds=len(builds),
        whole=whole and (handing is not None or not handed),
    )


class Outlook:
    """What a person is told of the end: a number that only shrinks, or how much longer than usual it takes.

    Attributes:
        left: Seconds that are still to come; None while nobody knows.
        late: How many seconds longer than usual it takes.
        share: How much of it is done, from 0 to 1.
        builds: From how many earlier builds this is known.
        whole: Whether it is known of every step that is still to run.
    """

    def __init__(self) -> None:
        self._begun: float | None = None
        self._least = float("inf")
        self.left: float | None = None
        self.late = 0.0
        self.share = 0.0
        self.builds = 0
        self.whole = True

    def take(self, told: Estimate | None, elapsed: float) -> None:
        """Take an estimate.

        A step that is found in the cache makes the rest shorter, one that takes longer than it used to makes it stand
        still: it never grows, which people would take for a mistake.

        Args:
            told: As things are now.
            elapsed: Seconds since the build began.
        """
        self.left = None
        if told is None:
            return
        self._begun = elapsed if self._begun is None else self._begun
        if elapsed - self._begun < SETTLED:
            return
        self.left = self._least = min(self._least, told.left)
        self.late = max(self.late, elapsed - self._begun - told.usual) if self.left == 0 else 0.0
        self.builds, self.whole = told.builds, told.whole
        self.share = max(self.share, min(elapsed / (elapsed + self.left), NEVER_DONE))


def _keys(step: Step) -> tuple[str, ...]:
    """Return by what a step is known again: its text, and its place; digests change with what they are of."""
    text = re.sub(r"@sha256:[0-9a-f]+", "", step.instruction or step.name)
    if not step.counts:
        return (text,)
    return text, f"{step.stage} {step.number} {step.instruction.partition(' ')[0]}"


def _median(order: Sequence[int], seconds: Mapping[int, float], most: int) -> tuple[float, frozenset[int]]:
    """Return the median of the first builds, and which these are."""
    return median(seconds[number] for number in order[:most]), frozenset(order[:most])


def _likeness(one: set[str], other: set[str]) -> float:
    """Return how much two builds ran the same, from 0 to 1."""
    return len(one & other) / len(one | other) if one | other else 1.0


def _longest(seconds: dict[str, float], needs: dict[str, tuple[str, ...]]) -> float:
    """Return the seconds of the chain of steps that takes longest."""
    ends: dict[str, float] = {}

    def end(name: str) -> float:
        if name not in ends:
            ends[name] = 0.0  # A step that would wait for itself waits for nothing.
            ends[name] = seconds[name] + max((end(each) for each in needs[name] if each in seconds), default=0.0)
        return ends[name]

    return max(map(end, seconds), default=0.0)
