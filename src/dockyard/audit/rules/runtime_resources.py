"""RT-04, RT-05: what the container may use up, and that it never comes near it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dockyard.audit.facts.running import host, option, table, works
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.audit.observed import Load
    from dockyard.audit.verdict import Proof
    from dockyard.settings import Settings
    from dockyard.smoke import Result

MEGA = 2**20
MOST = 0.8
FILES = "Max open files"
MOST_FILES = 2**20
UNBOUNDED = ("always", "unless-stopped")
PLACE = Place(subject="the container under load")


class Memory(Rule):
    """The container has a memory limit, without swap on top, and stays clear of it under load.

    Without a limit one leak takes the host down; with one that is too near, the kernel kills the service under load.

    Remedy: `--memory` and `--memory-swap` of one value (`memory` in [tool.dockyard.run]), with a quarter more than the
    peak that this rule reports.
    """

    id = "RT-04"
    title = "Memory limit set and survived"
    severity = Severity.HIGH
    references = ("CIS 5.11", "OWASP Docker 7", "OWASP API 4", "ANSSI R10")

    @part
    def flags(self, inspect: Mapping[str, Any]) -> Iterator[Proof]:
        """There is a limit, and the kernel may enforce it."""
        settings = host(inspect)
        memory, swap = settings.get("Memory") or 0, settings.get("MemorySwap") or 0
        if memory <= 0:
            yield broken("Memory is 0: there is no limit", option("Memory"))
            return
        yield holds(f"Memory is {memory // MEGA} MiB", option("Memory"))
        if swap != memory:
            told = "without limit" if swap <= 0 else f"{(swap - memory) // MEGA} MiB"
            yield broken(f"swap is added to the limit: {told}", option("MemorySwap"))
        if settings.get("OomKillDisable"):
            yield broken("OomKillDisable is set: at its limit the service hangs", option("OomKillDisable"))

    @part
    def loaded(self, load: Load) -> Iterator[Proof]:
        """Under load it was not killed, stayed below 80 % of the limit, answered all, and is healthy."""
        if load.oom_killed:
            yield broken("it was killed for memory under load", PLACE)
        if load.limit:
            share = load.peak / load.limit
            text = f"peak of {load.peak // MEGA} MiB is {share:.0%} of {load.limit // MEGA} MiB"
            yield (holds if share <= MOST else broken)(text, PLACE)
        if load.failures:
            yield broken(f"{load.failures} of {load.requests} requests under load failed", PLACE)
        if load.health not in ("healthy", "running"):
            yield broken(f"after the load it is {load.health}", PLACE)
        if load.requests:
            yield holds(f"{load.requests} predictions were asked for, from several clients at once", PLACE)
        else:
            yield unknown("there was no load", PLACE)


class Bounded(Rule):
    """Processes, processor time, open files and restarts are limited, and the service works within them.

    A fork bomb, a busy loop or a leak of descriptors then ends at the container; a service that cannot start is not
    restarted for ever, which would hide that it does not run and would fill the log.

    Remedy: `--pids-limit`, `--cpus`, `--ulimit nofile=…` where the engine's own is unlimited, and
    `--restart on-failure:5` (`pids`, `cpus` and `restart` in [tool.dockyard.run]).
    """

    id = "RT-05"
    title = "Processes, CPU, files and restarts are bounded"
    severity = Severity.MEDIUM
    references = ("CIS 5.12", "CIS 5.15", "CIS 5.19", "CIS 5.29", "OWASP Docker 7", "ANSSI R11")

    @part
    def flags(self, inspect: Mapping[str, Any]) -> Iterator[Proof]:
        """The engine was asked for limits."""
        settings = host(inspect)
        pids = settings.get("PidsLimit") or 0
        yield (holds if pids > 0 else broken)(f"PidsLimit is {pids}", option("PidsLimit"))
        cpus = (settings.get("NanoCpus") or 0) / 1e9
        quota, period = settings.get("CpuQuota") or 0, settings.get("CpuPeriod") or 100_000
        cpus = cpus or max(quota, 0) / period
        yield (holds if cpus > 0 else broken)(f"CPU limit is {cpus:g}", option("NanoCpus"))

    @part
    def files(self, confinement: Mapping[str, str]) -> Iterator[Proof]:
        """The kernel has a limit of open files for the service, whoever set it."""
        value, place = confinement.get(FILES, ""), Place(subject=f"/proc/1/limits: {FILES}")
        if not value:
            yield unknown("the kernel says nothing of open files", place)
        elif value.isdigit() and int(value) <= MOST_FILES:
            yield holds(f"{FILES} is {value}", place)
        else:
            yield broken(f"{FILES} is {value}, wanted is {MOST_FILES} at most", place)

    @part
    def restarts(self, inspect: Mapping[str, Any], settings: Settings) -> Iterator[Proof]:
        """Production, and this twin of it, are restarted a limited number of times."""
        policy = settings.run.restart
        name, place = policy.partition(":")[0], Place(subject="run.restart", file="pyproject.toml")
        endless = policy in UNBOUNDED or policy == "on-failure"
        yield (broken if endless else holds)(f"restart policy of production is {policy}", place)
        given = table(inspect, "HostConfig", "RestartPolicy").get("Name") or "no"
        if given in UNBOUNDED and given != name:
            yield broken(f"restart policy is {given}", option("RestartPolicy"))

    @part
    def within(self, load: Load) -> Iterator[Proof]:
        """Under load the service stays clear of the limit of processes and threads."""
        if load.pids_limit and load.pids:
            text = f"{load.pids} processes and threads at most, of {load.pids_limit}"
            yield (holds if load.pids <= MOST * load.pids_limit else broken)(text, PLACE)
        elif not load.pids:
            yield unknown("processes under load could not be counted", PLACE)

    @part
    def working(self, smoke: tuple[Result, ...]) -> Iterator[Proof]:
        """The service works so."""
        yield from works(smoke)
