"""Session -> evidence of containers: what is tried on them, and what people are told meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.audit.probes.health import health, readiness
from dockyard.audit.probes.limits import limits
from dockyard.audit.probes.production import PROBES, production
from dockyard.audit.probes.session import Session
from dockyard.audit.probes.starts import keys
from dockyard.audit.probes.volumes import log_failures, volumes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["GROUPS", "PROBES", "Group", "Session"]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Probes that share containers.

    Attributes:
        names: The evidence that they give.
        label: What they do, for those who wait.
        take: Does it; a DockyardError makes all of it missing.
    """

    names: tuple[str, ...]
    label: str
    take: Callable[[Session], Mapping[str, object]]


# They know nothing of each other and may run side by side; the longest stand first.
GROUPS = (
    Group(
        names=("health_check", "hang"),
        label="hangs a container by SIGSTOP until its health check notices, up to a minute",
        take=health,
    ),
    Group(names=tuple(PROBES), label="attacks, loads and stops a production container, half a minute", take=production),
    Group(names=("limits",), label="sends requests too large, too many and too slow, up to 30 s", take=limits),
    Group(names=("keys",), label="starts without a key and with bad keys", take=keys),
    Group(names=("log_failures",), label="serves on log volumes that cannot be written", take=log_failures),
    Group(names=("readiness",), label="hides the model and cuts the registry off", take=readiness),
    Group(names=("volumes",), label="writes to the logs volume mounted in three ways", take=volumes),
)
