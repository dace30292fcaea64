"""What `invoke setup` does: the engine, buildx, the base images, and what builds need on a corporate network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dockyard.engines.buildx import INSTALL_PAGE
from dockyard.errors import EngineError
from dockyard.machine import bases, corporate
from dockyard.machine.corporate import Network
from dockyard.machine.findings import Base, Finding, Wanted
from dockyard.machine.pins import Pinning
from dockyard.machine.search import Search

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockyard.engines import Engine
    from dockyard.machine.engine import Place

__all__ = [
    "Base",
    "Finding",
    "Network",
    "Pinning",
    "Wanted",
    "base_for",
    "index_environment",
    "look",
    "network",
    "prepare",
    "require",
    "searching",
]


def look(wanted: Wanted, doors: Engine) -> tuple[Finding, ...]:
    """Return what this machine has and lacks; change nothing."""
    from dockyard.machine import engine  # noqa: PLC0415 - no build waits for what setup needs

    environment = _environment()
    seen = engine.look(_place(wanted, environment), doors.daemon)
    return (
        seen,
        _buildx(doors, "missing"),
        *(bases.look(Search(wanted=wanted, engine=doors, environment=environment)) if seen.ready else ()),
        *corporate.findings(network(wanted)),
    )


def prepare(wanted: Wanted, doors: Engine, announce: Callable[[str], None]) -> tuple[Finding, ...]:
    """Make this machine ready as far as it can be, and return what was found, done or refused.

    Args:
        wanted: What it is to be ready for.
        doors: To its engine.
        announce: Gets a sentence before each thing that takes time.
    """
    from dockyard.machine import engine  # noqa: PLC0415

    environment = _environment()
    seen = engine.prepare(_place(wanted, environment), doors.daemon, announce)
    found = Search(wanted=wanted, engine=doors, environment=environment)
    return (
        seen,
        _buildx(doors, "refused"),
        *(bases.prepare(found, announce) if seen.ready else ()),
        *corporate.findings(network(wanted)),
    )


def require(findings: tuple[Finding, ...]) -> None:
    """Raise what keeps this machine from building.

    Raises:
        EngineError: The engine, buildx, a base or a setting of the network is not ready.
    """
    lacking = [finding for finding in findings if not finding.ready]
    if lacking:
        first = lacking[0]
        listed = ", ".join(finding.subject for finding in lacking)
        raise EngineError(f"This machine is not ready: {listed}.", first.detail, first.todo)


def base_for(python: str, wanted: Wanted, doors: Engine) -> Base:
    """Return the base image that a build uses; nothing is assembled for it.

    Raises:
        EngineError: None can be had.
    """
    return bases.base_for(searching(wanted, doors), python)


def network(wanted: Wanted) -> Network:
    """Return the CA bundle and the package index that builds get as secret mounts."""
    environment = _environment()
    pip = corporate.pip_configuration(Path("/"), Path.home(), environment)
    return corporate.network(wanted, environment, pip)


def index_environment(wanted: Wanted) -> dict[str, str]:
    """Return what tells uv of the CA bundle and the package index; it takes a password from nowhere else."""
    found = network(wanted)
    told = {"SSL_CERT_FILE": str(found.ca_bundle or ""), "UV_DEFAULT_INDEX": found.index_url or ""}
    return {name: value for name, value in told.items() if value}


def searching(wanted: Wanted, doors: Engine) -> Search:
    """Return the search for bases on this machine."""
    return Search(wanted=wanted, engine=doors, environment=_environment())


def _environment() -> Mapping[str, str]:
    from dockyard.settings.sources import process_environment  # noqa: PLC0415 - brings pydantic

    return process_environment()


def _place(wanted: Wanted, environment: Mapping[str, str]) -> Place:
    from dockyard.machine.engine import Place  # noqa: PLC0415

    return Place(log=wanted.state / "dockerd.log", environment=environment)


def _buildx(doors: Engine, lacking: Literal["missing", "refused"]) -> Finding:
    """Return whether docker has a buildx that is new enough."""
    from dockyard.machine.packages import OLDEST_BUILDX  # noqa: PLC0415

    version = doors.buildx.version()
    if version and version >= OLDEST_BUILDX:
        return Finding(subject="buildx", state="found", detail=".".join(map(str, version)))
    needed = ".".join(map(str, OLDEST_BUILDX))
    has = f"docker has buildx {'.'.join(map(str, version))}" if version else "docker has none"
    todo = "Run `invoke setup`." if lacking == "missing" and not version else f"Read {INSTALL_PAGE}."
    return Finding(subject="buildx", state=lacking, detail=f"{has}; {needed} or newer is needed.", todo=todo)
