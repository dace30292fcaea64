"""Session -> evidence of containers: what is tried on them, and what people are told meanwhile."""

from __future__ import annotations

from dockyard.audit.gather import Trial
from dockyard.audit.probes.health import health, readiness
from dockyard.audit.probes.limits import limits
from dockyard.audit.probes.production import PROBES, production
from dockyard.audit.probes.session import Session
from dockyard.audit.probes.starts import keys
from dockyard.audit.probes.volumes import log_failures, volumes

__all__ = ["GROUPS", "PROBES", "Session"]

# They know nothing of each other and may run side by side; the longest stand first.
GROUPS: tuple[Trial[Session], ...] = (
    Trial(
        names=("health_check", "hang"),
        label="hangs a container by SIGSTOP until its health check notices, up to a minute",
        take=health,
    ),
    Trial(names=tuple(PROBES), label="attacks, loads and stops a production container, half a minute", take=production),
    Trial(names=("limits",), label="sends requests too large, too many and too slow, up to 30 s", take=limits),
    Trial(names=("keys",), label="starts without a key and with bad keys", take=keys),
    Trial(names=("log_failures",), label="serves on log volumes that cannot be written", take=log_failures),
    Trial(names=("readiness",), label="hides the model and cuts the registry off", take=readiness),
    Trial(names=("volumes",), label="writes to the logs volume mounted in three ways", take=volumes),
)
