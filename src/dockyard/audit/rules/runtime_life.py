"""RT-07, RT-08, RT-09: the ports it opens, how it ends, and what its health checks leave behind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dockyard.audit.facts.running import OK, host, listed, option, request, table
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.audit.observed import Stop, Zombies
    from dockyard.audit.verdict import Proof
    from dockyard.engines.sockets import Socket
    from dockyard.settings import Settings

EVERY = ("", "0.0.0.0", "::", "[::]")  # noqa: S104 - compared
PRIVILEGED = 1024
ENGINE_DNS = "127.0.0.11"
DEFAULT_NETWORKS = ("default", "bridge", "")
ENDED_WELL = (0, 143)


class Network(Rule):
    """The service listens on its one port, published on one address, in a network of its own.

    `-p 8000:8000` opens every interface and goes past the host's firewall front end; on the default bridge every other
    container of the host reaches the service.

    Remedy: publish `127.0.0.1:8000:8000` behind a proxy, or the one address that it serves (`address` in
    [tool.dockyard.run]), on a port above 1023, in a network made for it (`docker network create`).
    """

    id = "RT-07"
    title = "Ports and network are minimal"
    severity = Severity.MEDIUM
    references = ("CIS 5.8", "CIS 5.9", "CIS 5.14", "CIS 5.30", "OWASP Docker 5", "OWASP Docker 5a", "ANSSI R3")

    @part
    def published(self, inspect: Mapping[str, Any]) -> Iterator[Proof]:
        """Each published port names a host address, and is no privileged one."""
        if host(inspect).get("PublishAllPorts"):
            yield broken("every exposed port is published", option("PublishAllPorts"))
        bindings = table(inspect, "HostConfig", "PortBindings")
        found = [(port, each) for port, many in bindings.items() for each in listed(many) if isinstance(each, dict)]
        for port, each in found:
            yield _published(str(each.get("HostIp") or ""), str(each.get("HostPort") or ""), str(port))
        if not found:
            yield holds("no port is published", option("PortBindings"))

    @part
    def production(self, settings: Settings) -> Iterator[Proof]:
        """The container that serves does so too; this twin of it has a free port on loopback."""
        run = settings.run
        place = Place(subject="run.address, run.port", file="pyproject.toml")
        found = _published(run.address, str(run.port or ""), f"{run.container_port}/tcp of production")
        yield replace(found, place=place)

    @part
    def network(self, inspect: Mapping[str, Any]) -> Iterator[Proof]:
        """It is not on the bridge that all containers share."""
        mode = str(host(inspect).get("NetworkMode") or "")
        shared = mode in DEFAULT_NETWORKS
        told = f"NetworkMode is {mode or 'default'}" + (": the bridge that all containers share" if shared else "")
        yield (broken if shared else holds)(told, option("NetworkMode"))

    @part
    def listening(self, sockets: tuple[Socket, ...], settings: Settings) -> Iterator[Proof]:
        """Nothing listens but the service, on its port; the engine's own name server does not count."""
        place = Place(subject="/proc/net/tcp")
        own = [each for each in sockets if each.address != ENGINE_DNS]
        wanted = settings.run.container_port
        for each in own:
            text = f"{each.address}:{each.port} is listened on"
            yield (holds if each.port == wanted else broken)(text, place)
        if not own:
            yield unknown(f"nothing was seen to listen, not even on port {wanted}", place)


def _published(address: str, port: str, what: str) -> Proof:
    """Return whether a published port is bound as it should be."""
    place = option("PortBindings")
    if address in EVERY:
        return broken(f"{what} is published on every address", place)
    if port.isdigit() and 0 < int(port) < PRIVILEGED:
        return broken(f"{what} is published on the privileged port {port}", place)
    return holds(f"{what} is published on {address}:{port or 'a free port'}", place)


class Graceful(Rule):
    """SIGTERM ends the service by itself, in time, and after the request that was on its way.

    An orchestrator stops containers all day; who does not listen is killed, and the requests in hand are lost.

    Remedy: the exec form of CMD, so that the service is process 1 and gets the signal; a handler for SIGTERM that
    finishes open requests; a server's own graceful timeout below the grace of `docker stop` (10 s).
    """

    id = "RT-08"
    title = "SIGTERM ends it gracefully"
    severity = Severity.HIGH
    references = ("hadolint DL3025", "BuildKit JSONArgsRecommended")

    @part
    def ended(self, stop: Stop) -> Iterator[Proof]:
        """It ended by itself, well and in time."""
        place = Place(subject="docker stop")
        text = f"exit code {stop.exit_code}, wanted is 0 or 143"
        yield (holds if stop.exit_code in ENDED_WELL else broken)(text, place)
        text = f"it ended after {stop.seconds:.1f} s of {stop.grace:g} s"
        if stop.exit_code in ENDED_WELL:
            yield (holds if stop.seconds < stop.grace else broken)(text, place)

    @part
    def answered(self, stop: Stop) -> Iterator[Proof]:
        """The request in hand was answered."""
        yield (holds if stop.answer.status == OK else broken)(str(stop.answer), request(stop.answer))


class NoZombies(Rule):
    """Health checks leave no dead process behind.

    Process 1 inherits what its children leave; one that never looks after them fills the limit of processes in a day.

    Remedy: a health check that is one process (`CMD ["python", …]`), or `docker run --init`.
    """

    id = "RT-09"
    title = "No process is left over by health checks"
    severity = Severity.LOW
    references = ("BuildKit JSONArgsRecommended",)

    @part
    def left(self, zombies: Zombies) -> Iterator[Proof]:
        """After many checks no process is a zombie."""
        place = Place(subject="/proc in the container")
        dead = [each for each in zombies.processes if each.state.startswith("Z")]
        if dead:
            yield broken(f"{len(dead)} zombies after {zombies.checks} health checks: {dead[0].command}", place)
        elif zombies.processes and zombies.checks:
            told = f"{zombies.checks} health checks, {len(zombies.processes)} processes, none of them a zombie"
            yield holds(told, place)
        else:
            yield unknown("no process was seen", place)
