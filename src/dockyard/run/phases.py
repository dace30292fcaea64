"""How far a container has come on its way to be healthy, told as it comes."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard.engines.containers import Container
from dockyard.engines.sockets import from_host, listening
from dockyard.run.evidence import EVERYWHERE, bound
from dockyard.run.said import check

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.engines.daemon import Daemon
    from dockyard.engines.facts import ContainerFacts

CREATED, STARTING, UP, BOUND, LIVE, READY = "created", "starting", "process up", "port bound", "live", "ready"
ORDER = (CREATED, STARTING, UP, BOUND, LIVE, READY)
QUIET_SECONDS = 10.0
ASK_SECONDS = 0.5
WITHIN_SECONDS = 2.0
OK, ERROR = 200, 500


@dataclass(kw_only=True)
class Progress:
    """Tells each phase once, and says something now and then where nothing changes.

    Attributes:
        announce: Told of each phase.
        seconds: The deadline, for what is said in between.
        routes: That answer 200 while it lives, and once it is ready; None: nobody asks them.
    """

    daemon: Daemon
    announce: Callable[[str], None]
    seconds: float
    routes: tuple[str, str] | None = None
    phase: str = ""
    _told_at: float = 0.0
    _asked_at: float = field(default=-WITHIN_SECONDS)
    _looked_at: float = field(default=-WITHIN_SECONDS)

    def see(self, facts: ContainerFacts, spent: float) -> bool | None:
        """Look how far it has come, and tell it.

        Args:
            facts: How it is now.
            spent: Seconds since the wait began.

        Returns:
            Whether a published port is bound where the host reaches it; None if that cannot be seen.
        """
        reached = self._bound(facts, spent)
        if not self.phase or self.phase == CREATED:
            self._tell(CREATED if facts.status == CREATED else STARTING, spent)
        if facts.pid:
            self._tell(UP, spent)
        if reached and facts.ports:
            self._tell(BOUND, spent)
            self._ask(facts, spent)
        if spent - self._told_at >= QUIET_SECONDS:
            self._told_at = spent
            last = f"; last health check: {check(facts.checks[-1])}" if facts.checks else ""
            self.announce(f"still waiting after {spent:.0f} of {self.seconds:g} s: {self.phase}{last}")
        return reached

    def _tell(self, phase: str, spent: float) -> None:
        if self.phase and ORDER.index(phase) <= ORDER.index(self.phase):
            return
        self.announce(phase if phase in (CREATED, STARTING) else f"{phase} after {spent:.1f} s")
        self.phase, self._told_at = phase, spent

    def _bound(self, facts: ContainerFacts, spent: float) -> bool | None:
        """Look on the host, which costs nothing; a command in the container costs a process, and so is rare."""
        sockets = from_host(facts)
        if sockets is None and facts.pid and (facts.health == "healthy" or spent - self._looked_at >= WITHIN_SECONDS):
            self._looked_at = spent
            sockets = listening(Container(daemon=self.daemon, id=facts.id), facts)
        return None if sockets is None else bound(facts, sockets)

    def _ask(self, facts: ContainerFacts, spent: float) -> None:
        """Ask the routes that have not answered well yet; not too often, since each question is a line in its log."""
        if self.routes is None or self.phase == READY or spent - self._asked_at < ASK_SECONDS:
            return
        self._asked_at = spent
        address, port = next(iter(facts.ports.values()))
        left = max(0.1, min(ASK_SECONDS, self.seconds - spent))
        live, ready = self.routes
        if self.phase != LIVE and 0 < status(address, port, live, left) < ERROR:
            self._tell(LIVE, spent)
        if self.phase == LIVE and status(address, port, ready, left) == OK:
            self._tell(READY, spent)


def status(address: str, port: int, route: str, seconds: float) -> int:
    """Return the HTTP status of an answer; 0 if none came in time."""
    connection = http.client.HTTPConnection(EVERYWHERE.get(address, address), port, timeout=seconds)
    try:
        connection.request("GET", route)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
