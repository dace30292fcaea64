"""Watches a Swarm update until it ends; says each step of it, and notes why tasks end while that can be read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dockyard.deploy.swarm.stand import Stand, stand
from dockyard.errors import DeployError, EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockyard.deploy.swarm.stand import Asked
    from dockyard.deploy.swarm.why import Reasons
    from dockyard.engines.swarm import Swarm

PAUSE = 0.5


def watch(
    service: str,
    asked: Asked,
    *,
    swarm: Swarm,
    reasons: Reasons,
    announce: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Stand:
    """Return how an update ended; one that is under way is one whose deadline has passed.

    A first release is watched here, for as long as Swarm watches an update: Swarm itself would go on for ever. What is
    brought back has a deadline of its own.

    Args:
        service: Its name.
        asked: What the swarm was asked for.
        swarm: Asked how it stands.
        reasons: Told of tasks that ended.
        announce: Told of each step.
        clock: Seconds of a clock that never goes back.
        pause: Waits between two questions.

    Raises:
        DeployError: Somebody removed the service.
        EngineError: The engine does not answer until the deadline.
    """
    deadline, going_back = clock() + asked.wait, False
    whole_since: float | None = None
    looks = _looks(service, asked, swarm, reasons, announce)
    while True:
        now, late = next(looks), clock() > deadline
        if isinstance(now, Stand):
            if now.message and not going_back:
                going_back, late, deadline = True, False, clock() + asked.wait
            whole_since = _since(whole_since, now, clock)
            if late or _over(now, whole_since, clock() - asked.monitor):
                return now
        elif late:
            raise now
        pause(PAUSE)


def _since(whole_since: float | None, now: Stand, clock: Callable[[], float]) -> float | None:
    """Return since when all tasks run without a break."""
    if now.verdict != "complete":
        return None
    return clock() if whole_since is None else whole_since


def _over(now: Stand, whole_since: float | None, watched_from: float) -> bool:
    """Whether there is nothing to wait for any more."""
    if now.verdict == "complete":
        return now.watched or (whole_since is not None and whole_since <= watched_from)
    return now.verdict != "under way"


def _looks(
    service: str, asked: Asked, swarm: Swarm, reasons: Reasons, announce: Callable[[str], None]
) -> Iterator[Stand | EngineError]:
    """Yield how it stands, as often as that is asked; say what changed.

    An engine that is restarted, or managers that choose a leader, answer again; the update goes on meanwhile.
    """
    said = ""
    while True:
        now: Stand | EngineError
        try:
            now = _read(service, asked, swarm)
            reasons.note(now.failed)
        except EngineError as error:
            now = error
        words = now.words if isinstance(now, Stand) else f"asking again, since there was no answer: {now.why}"
        if words != said:
            said = words
            announce(words)
        yield now


def _read(service: str, asked: Asked, swarm: Swarm) -> Stand:
    facts = swarm.service(service)
    if facts is None:
        raise DeployError(
            f"The service {service} is gone.", "Somebody removed it while it was updated.", "Deploy again."
        )
    return stand(asked, facts, swarm.tasks(service))
