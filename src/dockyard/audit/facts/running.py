"""What several families read of a running container: its `docker inspect`, its smoke probes, requests and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dockyard.audit.verdict import Place, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.audit.observed import Exchange
    from dockyard.audit.verdict import Proof
    from dockyard.smoke import Result

OK = 200


def table(inspect: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return a table of an inspect answer, however much of it is null or left out."""
    found: Any = inspect
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def host(inspect: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return HostConfig: what was asked of the engine for the container."""
    return table(inspect, "HostConfig")


def listed(value: object) -> list[Any]:
    """Return a list, of null an empty one."""
    return list(value) if isinstance(value, list | tuple) else []


def mounts(inspect: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what is mounted."""
    return [each for each in listed(inspect.get("Mounts")) if isinstance(each, dict)]


def option(name: str) -> Place:
    """Return where an option of the container can be checked."""
    return Place(subject=f"docker inspect: HostConfig.{name}")


def request(exchange: Exchange) -> Place:
    """Return where an answer can be checked."""
    return Place(subject=exchange.request)


def works(smoke: tuple[Result, ...]) -> Iterator[Proof]:
    """Yield that the service works in this container; a flag under which it does not is worth nothing."""
    for result in smoke:
        place = Place(subject=f"smoke probe: {result.probe}")
        if result.verdict == "fail":
            yield broken(f"it does not work so: {result.probe}: {result.evidence[:160]}", place)
        elif result.verdict == "not-run":
            yield unknown(f"{result.probe}: {result.evidence}", place)
    passed = sum(result.verdict == "pass" for result in smoke)
    if passed:
        yield holds(f"it works so: {passed} smoke probes pass")
    elif not smoke:
        yield unknown("no smoke probe was run")
