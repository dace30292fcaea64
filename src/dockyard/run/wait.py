"""Waits until a container is healthy: with a deadline, and no longer than there is hope."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockyard.errors import UnhealthyError
from dockyard.run import said
from dockyard.run.causes import broken_check
from dockyard.run.diagnose import unhealthy
from dockyard.run.evidence import gather, last_end
from dockyard.run.phases import READY, Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.engines.daemon import Daemon
    from dockyard.engines.facts import ContainerFacts

# The first pause; later ones are a twentieth of the time that passed, so that every answer is late by that at most.
PAUSE = 0.05
SHARE, LONGEST = 0.05, 0.5
IMAGE_SECONDS = 1.0
# A service that listens where nobody reaches it may still be about to listen elsewhere.
MISBOUND_SECONDS = 5.0


def until_healthy(
    name: str,
    *,
    daemon: Daemon,
    seconds: float,
    announce: Callable[[str], None] = lambda _: None,
    routes: tuple[str, str] | None = None,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> float:
    """Return the seconds it took the container to become healthy, and to listen where the host reaches it.

    A container without a health check counts as healthy once its published port is bound; where that cannot be seen,
    once it runs.

    Args:
        name: The container.
        daemon: Asked for its state.
        seconds: The deadline.
        announce: Told of each new phase, for instance `port bound after 0.4 s`, and every ten seconds without one.
        routes: That say `live` and `ready`, for the phases of that name; health is the engine's own verdict.
        clock: Seconds of a clock that never goes back.
        pause: Waits between two questions.

    Raises:
        UnhealthyError: It ended, was killed for memory, restarts in a loop, is gone, lost its image, cannot be checked
            or reached, or took too long; `why` holds the likely cause and what was seen.
        EngineError: The engine went away.
    """
    begun = clock()
    watch = _Watch(daemon, Progress(daemon=daemon, announce=announce, seconds=seconds, routes=routes))
    while True:
        facts = daemon.container(name)
        spent = clock() - begun
        if facts is None or facts.status == "removing":
            raise _gone(name, spent)
        if watch.over(facts, spent):
            return spent
        if spent >= seconds:
            late = replace(gather(facts, daemon), slow=True)
            raise unhealthy(late, f"it was still {facts.health or facts.status} after {seconds:g} s")
        pause(min(max(PAUSE, min(spent * SHARE, LONGEST)), seconds - spent))


@dataclass
class _Watch:
    """What is remembered from one look to the next."""

    daemon: Daemon
    progress: Progress
    healthy_at: float | None = None
    image_at: float = 0.0

    def over(self, facts: ContainerFacts, spent: float) -> bool:
        """Return whether it is healthy and can be reached; raise UnhealthyError where it never will."""
        state = _hopeless(facts)
        if state:
            raise _failed(facts, state, self.daemon, ready=self.progress.phase == READY)
        reached = self.progress.see(facts, spent)
        if _healthy(facts):
            if reached is not False:
                return True
            self._require_reach(facts, spent)
        self._require_image(facts, spent)
        return False

    def _require_reach(self, facts: ContainerFacts, spent: float) -> None:
        self.healthy_at = spent if self.healthy_at is None else self.healthy_at
        if facts.health and spent - self.healthy_at >= MISBOUND_SECONDS:
            seen = gather(facts, self.daemon)
            raise unhealthy(seen, "its health check passes, but nobody outside reaches it")

    def _require_image(self, facts: ContainerFacts, spent: float) -> None:
        if spent - self.image_at < IMAGE_SECONDS:
            return
        self.image_at = spent
        # The engine keeps what a container was made of: only the name by which it could be started again can be lost.
        if self.daemon.image(facts.image_id if "@" in facts.image else facts.image) is None:
            seen = replace(gather(facts, self.daemon), image_gone=True)
            raise unhealthy(seen, f"its image {facts.image} is gone")


def _healthy(facts: ContainerFacts) -> bool:
    return facts.health == "healthy" or (not facts.health and facts.status == "running")


def _hopeless(facts: ContainerFacts, code: int | None = None) -> str:
    """Say why waiting longer is of no use; empty while there is hope."""
    ended = said.code(facts.exit_code)
    signs = (
        (facts.oom_killed, f"it was killed for memory ({ended})" if facts.exit_code else "it was killed for memory"),
        (facts.restarts or facts.status == "restarting", _restarts(facts, code)),
        (facts.status in ("exited", "dead"), said.end(facts)),
        (facts.status == "created" and facts.error, f"the engine could not start it, {ended}"),
        (facts.health == "unhealthy", "its health check failed too often"),
        (facts.checks and broken_check(facts.checks[-1]), "its health check cannot pass"),
    )
    return next((state for sign, state in signs if sign), "")


def _failed(facts: ContainerFacts, state: str, daemon: Daemon, *, ready: bool) -> UnhealthyError:
    """Gather once more: the engine learns of a kill for memory a moment after the end that it explains."""
    evidence = replace(gather(facts, daemon), ready=ready)
    if evidence.facts.restarts:
        evidence = replace(evidence, restarted=True, code=last_end(evidence.facts, daemon))
    return unhealthy(evidence, _hopeless(evidence.facts, evidence.code) or state)


def _restarts(facts: ContainerFacts, code: int | None) -> str:
    """Say how often it ended and was started again; the code of one that runs again is not that of its last end."""
    known = facts.exit_code if facts.status == "restarting" else code
    times = {0: "", 1: ", once so far"}.get(facts.restarts, f", {facts.restarts} times so far")
    return f"it ends and is started again{times}" + ("" if known is None else f", last {said.code(known)}")


def _gone(name: str, spent: float) -> UnhealthyError:
    return UnhealthyError(
        f"{name} did not become healthy: it is gone.",
        f"Somebody removed it within {spent:.1f} s of the wait for it; its log went with it.",
        "Look at `docker events` for who did, then run it again.",
    )
