"""The key's versions in a swarm: a secret there never changes, so a new key is a new secret with the next number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.errors import EngineError
from dockyard.plan import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dockyard.deploy.workload import Workload
    from dockyard.engines.swarm import Swarm
    from dockyard.engines.swarm_facts import ServiceFacts
    from dockyard.settings.key import Key


@dataclass(frozen=True, kw_only=True)
class Version:
    """The key's version that a release gets.

    Attributes:
        made: Whether it was made just now.
    """

    name: str
    number: int
    made: bool


def version(
    workload: Workload,
    swarm: Swarm,
    service: ServiceFacts | None,
    *,
    rotate: bool,
    find: Callable[[], Key],
) -> Version:
    """Return the version in use, else the newest; make one if there is none, or another is asked for.

    Raises:
        EngineError: The swarm does not take it.
        SettingsError: There is no key to make one of.
    """
    found = swarm.secrets(workload.secret)
    used = [each for each in found if service and each.name in service.secrets]
    for each in (*used, *reversed(found)):
        if not rotate:
            return Version(name=each.name, number=each.number, made=False)
    number = max((each.number for each in found), default=0) + 1
    name = f"{workload.secret}-{number}"
    content = find().value.get_secret_value().encode() + b"\n"
    swarm.make_secret(name, content, {PROJECT: workload.container.labels[PROJECT]})
    return Version(name=name, number=number, made=True)


def remove_unused(workload: Workload, swarm: Swarm, used: Iterable[str], announce: Callable[[str], None]) -> None:
    """Remove the versions that dockyard made and nothing uses any more; one that is in use elsewhere stays."""
    kept = set(used)
    for each in swarm.secrets(workload.secret):
        if each.name in kept or each.labels.get(PROJECT) != workload.container.labels[PROJECT]:
            continue
        try:
            swarm.remove_secret(each.name)
        except EngineError as error:
            announce(f"the secret {each.name} stays: {error.why}")
        else:
            announce(f"the secret {each.name} is used no more and was removed")
