"""How requests get to a release behind the gateway: the new one starts beside the old one, then they are sent to it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockyard.plan import BEHIND
from dockyard.run import STOP, Direct, Step, answers, free, start_incoming, stop_outgoing, url_of

if TYPE_CHECKING:
    from dockyard.engines import Engine
    from dockyard.engines.facts import ContainerFacts
    from dockyard.gateway.process import Process
    from dockyard.plan import RunPlan
    from dockyard.run import Swap


def behind(facts: ContainerFacts | None) -> bool:
    """Whether a container gets its requests from a gateway, and publishes nothing to others itself."""
    return bool(facts and BEHIND in facts.labels)


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """Traffic through a gateway, to it, and away from it.

    Attributes:
        process: The gateway's container.
        wanted: Whether the next release is to be behind it; if not, that one publishes the port itself.
    """

    process: Process
    wanted: bool = True

    @property
    def steps(self) -> tuple[Step, ...]:
        """The new one starts before the old one ends, if at least one of them is behind the gateway."""
        return (
            Step(name="start the new one", act=self._start),
            Step(name="wait for the new one", act=answers, waits=True),
            Step(name="send requests to the new one", act=self._send),
            Step(name=STOP, act=self._stop),
        )

    def published(self, plan: RunPlan, outgoing: ContainerFacts | None) -> RunPlan:
        """Publish behind the gateway on a free loopback port, for probes alone; else where the gateway was."""
        if self.wanted:
            return replace(plan, address="127.0.0.1", port=0, labels={**plan.labels, BEHIND: self.process.name})
        if not behind(outgoing):
            return Direct().published(plan, outgoing)
        return replace(plan, port=plan.port or self.process.port)

    def require_free(self, plan: RunPlan, outgoing: ContainerFacts | None, engine: Engine) -> None:
        """Refuse a port that neither the gateway nor the outgoing one has, and a gateway that cannot be made."""
        if self.wanted:
            self.process.image()
        free(plan, engine, outgoing, self.process.facts)

    def steady(self, plan: RunPlan, outgoing: ContainerFacts) -> str:
        """Return where the service answers before and after the swap; empty if it moves."""
        now = self.process.url if behind(outgoing) else url_of(outgoing, plan.container_port)
        at = self.process.at if self.wanted else (plan.address, plan.port)
        had = self.process.published if behind(outgoing) else outgoing.ports.get(f"{plan.container_port}/tcp")
        return now if had and at[0] == had[0] and at[1] in (0, had[1]) else ""

    def url(self, facts: ContainerFacts | None, plan: RunPlan) -> str:
        """Return where users reach a container."""
        return self.process.url if behind(facts) else url_of(facts, plan.container_port)

    def reaches(self, facts: ContainerFacts) -> bool:
        """Whether requests get to a container, and to no other."""
        return not behind(facts) or (self.process.running and self.process.admin.serving(facts.id))

    def settle(self, swap: Swap) -> None:
        """Remove a gateway that nothing is behind any more."""
        if not behind(swap.engine.daemon.container(swap.incoming)):
            self.process.remove()

    def _start(self, swap: Swap) -> None:
        """Start it; one that publishes the port itself needs it free."""
        incoming = swap.engine.daemon.container(swap.incoming)
        if incoming and incoming.status != "running" and not behind(incoming):
            self._free_port(swap)
            self.process.stop(swap.plan.stop_timeout)
        start_incoming(swap)

    def _free_port(self, swap: Swap) -> None:
        """Stop a container that publishes the port itself: there is no way to hand it over."""
        outgoing = swap.engine.daemon.container(swap.outgoing.id) if swap.outgoing else None
        if outgoing and not behind(outgoing):
            stop_outgoing(swap)

    def _send(self, swap: Swap) -> None:
        """Write down who serves, then send new requests there: a gateway that starts meanwhile does the same."""
        incoming = swap.engine.daemon.container(swap.incoming)
        if incoming is None or not behind(incoming):
            return
        self._free_port(swap)
        before = swap.outgoing.ports.get(f"{swap.plan.container_port}/tcp") if swap.outgoing else None
        direct = before if not behind(swap.outgoing) else None
        self.process.serve(incoming.id, swap.plan, keep_port=direct[1] if direct else 0)

    def _stop(self, swap: Swap) -> None:
        """Let the old one finish what it has, then stop it."""
        if self.process.running:
            begun = time.monotonic()
            if not self.process.admin.drained(swap.plan.stop_timeout):
                swap.notes.append(f"Requests of the old one took longer than {time.monotonic() - begun:.0f} s.")
        stop_outgoing(swap)
        if self.process.running:
            self.process.admin.forget(self.process.name)

    def close(self, seconds: float) -> None:
        """Answer every request with 503 from now on, and wait for those that were begun."""
        if self.process.running:
            self.process.write("")
            self.process.admin.send_to_none()
            self.process.admin.drained(seconds)
            self.process.admin.forget(self.process.name)
