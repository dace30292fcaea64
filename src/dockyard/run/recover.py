"""After a kill: finds what a swap left, and finishes or undoes it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from dockyard.errors import EngineError, UnhealthyError
from dockyard.plan import PROJECT
from dockyard.run import remains
from dockyard.run.back import put_back
from dockyard.run.journal import Journal
from dockyard.run.own import ours, remove
from dockyard.run.releases import Releases, forget_image
from dockyard.run.swap import (
    CANDIDATE,
    FAILED,
    NEXT,
    PREVIOUS,
    STOP,
    Direct,
    Swap,
    discard,
    perform,
    stop_outgoing,
)
from dockyard.run.wait import until_healthy

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.engines import Engine
    from dockyard.engines.facts import ContainerFacts
    from dockyard.plan import RunPlan
    from dockyard.run.journal import Entry
    from dockyard.run.swap import Traffic
    from dockyard.state import State


def unsettled(plan: RunPlan, engine: Engine, state: State | None = None) -> bool:
    """Whether a swap was left half done."""
    sides = (_ours(plan, suffix, engine) for suffix in (PREVIOUS, NEXT, CANDIDATE, FAILED))
    return bool(state and Journal(state, plan.name).read()) or any(sides)


def recover(
    plan: RunPlan,
    *,
    engine: Engine,
    state: State | None = None,
    announce: Callable[[str], None] = lambda _: None,
    traffic: Traffic | None = None,
) -> str:
    """Finish a swap whose new container is healthy, undo any other; return what was found and done.

    The journal says who was at what; what is there, and how it is, is asked of the engine.

    Args:
        plan: Of the container, as it would be made now.
        engine: Where it is.
        state: The project's records; without them only containers are seen to.
        announce: Told what is waited for.
        traffic: How requests get to it; by default straight.
    """
    entry = Journal(state, plan.name).read() if state else None
    swap = _found(plan, entry, engine, traffic or Direct())
    swap.announce = announce
    told = f"{entry.told} " if entry else ""
    if _serves(swap, entry):
        return told + _finish(swap, entry, state)
    if entry and not entry.back and entry.step == STOP:
        # The engine goes on with a stop whose command was killed: what looks alive now may end in a moment.
        stop_outgoing(swap)
    back = put_back(swap)
    if not back.whole:
        return f"{told}{back.told} The next command tries again."
    if state and entry:
        forget_image(entry.release.tag, engine)
        remains.forget_candidates(state)
        Journal(state, plan.name).clear()
    return f"{told}It was undone. {back.told}"


def _found(plan: RunPlan, entry: Entry | None, engine: Engine, traffic: Traffic) -> Swap:
    """Return the swap as the engine shows it."""
    main, aside = _ours(plan, "", engine), _ours(plan, PREVIOUS, engine)
    beside = _ours(plan, FAILED, engine) or _ours(plan, NEXT, engine)
    old, new = (aside, main or beside) if aside else (main, beside)
    if not aside and main and entry and main.id != entry.old:
        old, new = None, main
    if old and (entry or aside or _ours(plan, FAILED, engine)):
        # It was stopped for the swap, perhaps started again: what counts is how it was before.
        was, began = (entry.was, entry.began) if entry else ("", "")
        old = dataclasses.replace(old, status=was or "running", started=began or old.started)
    return Swap(
        plan=traffic.published(plan, new or old),
        engine=engine,
        traffic=traffic,
        incoming=new.id if new else "",
        outgoing=old,
    )


def _ours(plan: RunPlan, suffix: str, engine: Engine) -> ContainerFacts | None:
    facts = engine.daemon.container(f"{plan.name}{suffix}")
    return facts if facts and ours(facts, plan.labels[PROJECT]) else None


def _serves(swap: Swap, entry: Entry | None) -> bool:
    """Whether the new container has taken over and is healthy."""
    main = _ours(swap.plan, "", swap.engine)
    if main is None or main.id != swap.incoming or main.status != "running" or (entry and entry.back):
        return False
    try:
        until_healthy(
            main.name,
            daemon=swap.engine.daemon,
            seconds=swap.plan.wait,
            announce=swap.announce,
            routes=swap.plan.routes,
        )
    except (EngineError, UnhealthyError):
        return False
    return True


def _finish(swap: Swap, entry: Entry | None, state: State | None) -> str:
    """Do what comes after the swap: write the release down, remove the old container."""
    perform(swap.traffic.steps, swap)
    if state and entry:
        Releases(state, swap.plan.name).conclude(entry.release)
    if swap.outgoing:
        remove(f"{swap.plan.name}{PREVIOUS}", swap.engine)
    swap.traffic.settle(swap)
    discard(swap.plan.name, swap.plan.labels[PROJECT], swap.engine)
    if state and entry:
        Releases(state, swap.plan.name).prune(entry.keep, swap.engine)
        Journal(state, swap.plan.name).clear()
    return "The new container had taken over and is healthy, so it was finished: it serves."
