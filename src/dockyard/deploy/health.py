"""How the service tells that it is well: the routes of the settings, the times of the Dockerfile's HEALTHCHECK."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard.dockerfile import parse
from dockyard.dockerfile.duration import seconds
from dockyard.plan import arguments

if TYPE_CHECKING:
    from dockyard.dockerfile import Instruction
    from dockyard.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Health:
    """What is asked of the service, and how often; the times are Docker's own where no HEALTHCHECK says others.

    Attributes:
        alive: Route that answers while the process lives.
        ready: Route that answers once requests can be served.
        wait: Seconds to become healthy.
        interval: Seconds between two questions; `start_interval` until it has started.
        timeout: Seconds in which an answer must come.
        start_period: Seconds in which a failure does not count.
        retries: Failures in a row that make it unhealthy.
        declared: Whether the Dockerfile has a HEALTHCHECK at all.
    """

    alive: str
    ready: str
    wait: float
    interval: float = 30.0
    timeout: float = 30.0
    start_period: float = 0.0
    start_interval: float = 5.0
    retries: int = 3
    declared: bool = field(default=False, compare=False)


def health_of(settings: Settings) -> Health:
    """Return the health check of the project's Dockerfile; files must come out the same where no engine is.

    Raises:
        DockerfileError: The Dockerfile cannot be read.
    """
    smoke = settings.smoke
    check = _health_check(settings)
    found = {}
    for name in ("interval", "timeout", "start_period", "start_interval"):
        given = seconds(check.flag(name.replace("_", "-")) or "") if check else 0.0
        if given:
            found[name] = given
    retries = (check.flag("retries") if check else None) or ""
    return Health(
        alive=smoke.health,
        ready=smoke.ready,
        wait=settings.run.wait,
        retries=int(retries) if retries.isdigit() and int(retries) else Health.retries,
        declared=check is not None and check.words[:1] != ("NONE",),
        **found,
    )


def _health_check(settings: Settings) -> Instruction | None:
    """Return the HEALTHCHECK that counts: the last one of the stage that is built."""
    path = settings.root / settings.build.dockerfile
    if not path.is_file():
        return None
    # What a build gives it; which base it is changes no instruction of the file.
    given = arguments(settings, python=settings.python, base=settings.build.pattern.format(python=settings.python))
    read = parse(path.read_bytes(), args=given, name=settings.build.dockerfile)
    stage = read.built(settings.build.target)
    found = [each for each in read.lineage(stage) if each.keyword == "HEALTHCHECK"]
    return found[-1] if found else None
