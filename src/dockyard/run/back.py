"""The way back: what a swap has begun is undone, and the container that served serves again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.errors import EngineError, UnhealthyError
from dockyard.plan import PROJECT
from dockyard.run.own import ours, remove
from dockyard.run.shield import shielded
from dockyard.run.swap import discard, exchange, perform

if TYPE_CHECKING:
    from dockyard.run.swap import Swap


@dataclass(frozen=True, kw_only=True)
class Back:
    """How it was left.

    Attributes:
        told: In a sentence.
        swapped: Whether the old container had gone, and was brought back.
        whole: Whether nothing remains to be done.
    """

    told: str
    swapped: bool = False
    whole: bool = True


def put_back(swap: Swap) -> Back:
    """Undo a swap, wherever it was left; Ctrl-C does not stop it."""
    with shielded(deaf=True):
        try:
            back = _put_back(swap)
            discard(swap.plan.name, swap.plan.labels[PROJECT], swap.engine)
        except UnhealthyError as error:
            return _broken(swap, error)
        except EngineError as error:
            return Back(told=f"The old container does not serve: {error.why}", swapped=True, whole=False)
    return back


def _put_back(swap: Swap) -> Back:
    old = swap.outgoing
    now = swap.engine.daemon.container(old.id) if old else None
    if old is None or now is None:
        begun = swap.engine.daemon.container(swap.plan.name)
        # One whose making was cut off has no known id.
        new = begun and (begun.id == swap.incoming or begun.status == "created")
        if begun and new and ours(begun, swap.plan.labels[PROJECT]):
            remove(begun.name, swap.engine)
        return Back(told="Nothing is left of the new container.")
    untouched = (now.name, now.status, now.started) == (swap.plan.name, old.status, old.started)
    if untouched and (now.status != "running" or swap.traffic.reaches(now)):
        return Back(told="The old container was not touched.")
    steps = exchange(swap)
    perform(steps if old.status == "running" else steps[:2], swap.turned())
    if old.status != "running":
        return Back(told="The old container is back, stopped as it was.", swapped=True)
    return Back(told="The old container runs again.", swapped=True)


def _broken(swap: Swap, error: UnhealthyError) -> Back:
    """Leave an old container that is broken itself in its place: to try again and again would keep a good one away."""
    told = f"The old container is back, and does not serve: {error.what}"
    steps = swap.traffic.steps
    waits = max(at for at, step in enumerate(steps) if step.waits)
    try:
        perform(steps[waits + 1 :], swap.turned())
        discard(swap.plan.name, swap.plan.labels[PROJECT], swap.engine)
    except EngineError as problem:
        return Back(told=f"{told} {problem.why}", swapped=True, whole=False)
    return Back(told=told, swapped=True)
