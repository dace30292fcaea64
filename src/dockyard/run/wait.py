"""Waits until a container is healthy: with a deadline, and no longer than there is hope."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dockyard.errors import UnhealthyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.engines.daemon import Daemon
    from dockyard.engines.facts import ContainerFacts

PAUSE = 0.1
LAST_LINES = 15


def until_healthy(
    name: str,
    *,
    daemon: Daemon,
    seconds: float,
    announce: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> float:
    """Return the seconds it took the container to become healthy.

    A container without a health check counts as healthy once it runs.

    Args:
        name: The container.
        daemon: Asked for its state.
        seconds: The deadline.
        announce: Told of each new phase, for instance `starting`.
        clock: Seconds of a clock that never goes back.
        pause: Waits between two questions.

    Raises:
        UnhealthyError: It exited, was killed for memory, restarts in a loop, is gone, or took too long; `why` holds
            the cause, the last health output and the last log lines.
    """
    begun = clock()
    phase = ""
    while True:
        facts = daemon.container(name)
        if facts is None:
            raise UnhealthyError(f"{name} is gone.", "It was removed while it started.", "Run it again.")
        cause = _hopeless(facts)
        if cause:
            raise unhealthy(facts, cause, daemon)
        now = facts.health or facts.status
        if now in ("healthy", "running"):
            return clock() - begun
        if now != phase:
            phase = now
            announce(phase)
        if clock() - begun > seconds:
            raise unhealthy(facts, f"It was still {now} after {seconds:g} s.", daemon)
        pause(PAUSE)


def _hopeless(facts: ContainerFacts) -> str:
    """Say why waiting longer is of no use; empty while there is hope."""
    if facts.oom_killed:
        return f"It was killed for memory: its limit is {facts.memory / 2**20:.0f} MiB."
    if facts.restarts or facts.status == "restarting":
        return f"It exits and is restarted, {facts.restarts} times so far; last exit code {facts.exit_code}."
    if facts.status in ("exited", "dead"):
        return f"It exited with code {facts.exit_code}."
    if facts.health == "unhealthy":
        return "Its health check failed too often."
    return ""


def unhealthy(facts: ContainerFacts, cause: str, daemon: Daemon) -> UnhealthyError:
    """Return the error with everything that helps: the cause, the last health output, the last log lines."""
    told = [cause]
    if facts.error:
        told.append(f"The engine says: {facts.error}")
    if facts.health_output:
        told.append(f"Health check: {facts.health_output}")
    lines = list(daemon.logs(facts.id, lines=LAST_LINES))
    told += ["Last log lines:", *(f"  | {line}" for line in lines)] if lines else ["It logged nothing."]
    return UnhealthyError(
        f"{facts.name} did not become healthy.", "\n".join(told), "Mend the cause above, then run it again."
    )
