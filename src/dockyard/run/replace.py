"""A release from its order to its end, good or bad: whatever fails or is interrupted is undone."""

from __future__ import annotations

import dataclasses
from dataclasses import asdict
from typing import TYPE_CHECKING, NoReturn

from dockyard.errors import DeployError, EngineError, Interrupted, UnhealthyError
from dockyard.run import remains
from dockyard.run.back import Back, put_back
from dockyard.run.journal import Journal
from dockyard.run.releases import BAD, Releases, forget_image
from dockyard.run.rollout import PREPARE, SETTLE, Order, Rollout, planned
from dockyard.run.shield import shielded
from dockyard.run.start import started
from dockyard.run.swap import CANDIDATE, FAILED, Direct, Started, Traffic, exchange, perform

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dockyard.engines import Engine
    from dockyard.run.prober import Outage
    from dockyard.state import State


def replace(
    order: Order,
    *,
    engine: Engine,
    state: State,
    announce: Callable[[str], None] = lambda _: None,
    traffic: Traffic | None = None,
) -> Started:
    """Release a container: prove a candidate, let the new one take over, watch it, write it down.

    Everything that can be refused is refused before anything changes. Whatever fails, or is interrupted, is undone.

    Raises:
        EngineError: No image, port taken, name taken by something that is not ours, logs folder unusable; or the engine
            went away, and the next command goes on.
        UnhealthyError: The candidate failed; the container that serves was not touched.
        DeployError: The new one failed after it took over; the old one was brought back.
        Interrupted: Ctrl-C.
    """
    rollout = planned(order, engine, state, traffic or Direct())
    rollout.announce = announce
    try:
        perform(PREPARE, rollout)
        rollout.taken = True
        announce("the old one makes way" if rollout.outgoing else "starting what was proved")
        rollout.prober.begin()
        perform(exchange(rollout), rollout)
        rollout.outage = rollout.prober.end()
        rollout.release = dataclasses.replace(
            rollout.release, outage=asdict(rollout.outage) if rollout.outage else None
        )
        perform(SETTLE, rollout)
    except KeyboardInterrupt:
        with shielded(deaf=True):
            left = _undo(rollout)
        raise Interrupted(f"{rollout.plan.name} was not started.", "Ctrl-C was pressed.", left.told) from None
    except (EngineError, UnhealthyError) as error:
        with shielded(deaf=True):
            _failed(rollout, error)
    Journal(state, rollout.plan.name).clear()
    return dataclasses.replace(started(rollout), release=rollout.release.number, outage=rollout.outage)


def _failed(rollout: Rollout, error: EngineError | UnhealthyError) -> NoReturn:
    """Keep what the failed one can still tell, undo all, and say what became of it."""
    if not rollout.engine.daemon.reachable():
        rollout.prober.end()
        raise EngineError(
            f"The engine went away while {rollout.plan.name} was released.",
            error.why,
            "Run `invoke setup`, then `invoke status`: what was begun is written down, and is finished or undone.",
        ) from None
    # Whoever is killed from here on must not find it healthy and keep it.
    rollout.note(dataclasses.replace(rollout, park=FAILED), "keep what the failed one said")
    kept = _keep(rollout, f"{error.what}\n{error.why}\n")
    back = _undo(rollout)
    told = f"{back.told} What the new one said is kept in {kept}." if kept else back.told
    if rollout.taken:
        Releases(rollout.state, rollout.plan.name).write(
            dataclasses.replace(rollout.release, verdict=BAD, why=error.what)
        )
    if back.swapped and rollout.outgoing and rollout.outgoing.status == "running":
        ended = "was taken back" if back.whole else "the old one could not be brought back"
        raise DeployError(
            f"Release {rollout.release.number} of {rollout.plan.name} failed after it took over, and {ended}.",
            f"{error.what}\n{error.why}",
            told,
        ) from None
    error.todo += f" {told}"
    raise error


def _keep(rollout: Rollout, why: str) -> Path | None:
    """Keep what the one that failed said: the candidate, or the container that was to serve."""
    logs = next(iter(rollout.plan.binds.values()), "").partition(":")[0]
    suspect = rollout.incoming or f"{rollout.plan.name}{CANDIDATE}"
    return remains.keep(suspect, why=why, logs=logs, engine=rollout.engine, state=rollout.state)


def _undo(rollout: Rollout) -> Back:
    """Undo it, measured as the swap and the watch were; return how it was left, and what all that cost."""
    if rollout.taken:
        rollout.prober.begin()
    back = put_back(rollout)
    outage = _sum(rollout.outage, rollout.prober.end())
    remains.forget_candidates(rollout.state)
    if not back.whole:
        return dataclasses.replace(back, told=f"{back.told} The next command tries again.")
    forget_image(rollout.release.tag, rollout.engine)
    Journal(rollout.state, rollout.plan.name).clear()
    told = f"{back.told} Meanwhile {outage}." if outage and back.swapped else back.told
    return dataclasses.replace(back, told=told)


def _sum(swap: Outage | None, since: Outage | None) -> Outage | None:
    return swap + since if swap and since else swap or since
