"""Everything that is asked of one container that runs exactly as in production, from looking to stopping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.audit.evidence import Missing
from dockyard.audit.probes import logged, pressure, surface, within
from dockyard.errors import DockyardError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockyard.audit.probes.session import Session
    from dockyard.smoke import Target

    Probe = Callable[[Session, Target], object]

# What looks comes first, what leaves traces later; nothing is asked after the load but how it ends.
PROBES: Mapping[str, Probe] = {
    "inspect": within.inspect,
    "confinement": within.confinement,
    "processes": within.processes,
    "sockets": within.sockets,
    "smoke": within.smoked,
    "routes": surface.routes,
    "surface": surface.surface,
    "log_lines": logged.log_lines,
    "leak": logged.leak,
    "writes": within.writes,
    "zombies": within.zombies,
    "load": pressure.load,
    "written": within.written,
    "stop": pressure.stop,
}


def production(session: Session) -> Mapping[str, object]:
    """Run all probes on one container; what one of them cannot find out is missing, and the others go on."""
    with session.start() as target:
        return {name: _attempt(probe, session, target) for name, probe in PROBES.items()}


def _attempt(probe: Probe, session: Session, target: Target) -> object:
    try:
        return probe(session, target)
    except Interrupted:
        raise
    except DockyardError as error:
        return Missing(" ".join(f"{error.what} {error.why}".split()))
