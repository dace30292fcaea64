"""Evidence -> a likely cause, what was seen, and what to do; nothing is asked of the engine here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.errors import UnhealthyError
from dockyard.run import said
from dockyard.run.causes import cause_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.run.evidence import Evidence

SHOWN_LINES = 10
UNKNOWN = "No known cause: nothing that was seen names one."
TODO = "Look at the evidence above and at the service itself, then run it again."


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What is wrong with a container.

    Attributes:
        cause: The likely one in words; empty if none is known.
        todo: The next step.
        evidence: What was seen, a line each.
    """

    cause: str
    todo: str
    evidence: tuple[str, ...]

    @property
    def why(self) -> str:
        """The likely cause, then the evidence."""
        first = f"Likely cause: {self.cause}." if self.cause else UNKNOWN
        return "\n".join((first, *self.evidence))


def diagnose(evidence: Evidence) -> Diagnosis:
    """Name the likely cause of what was seen; where there is none, say so and let the evidence speak."""
    cause = cause_of(evidence)
    return Diagnosis(
        cause=cause.said.rstrip(".") if cause else "",
        todo=cause.todo if cause else TODO,
        evidence=tuple(_told(evidence)),
    )


def unhealthy(evidence: Evidence, state: str) -> UnhealthyError:
    """Return the error of a container that did not become healthy.

    Args:
        evidence: What was seen of it.
        state: How it is, for instance `it ended after 0.8 s with exit code 1`.
    """
    found = diagnose(evidence)
    return UnhealthyError(f"{evidence.facts.name} did not become healthy: {state}.", found.why, found.todo)


def _told(evidence: Evidence) -> Iterator[str]:
    facts = evidence.facts
    if facts.error:
        yield f"The engine says: {facts.error}"
    if facts.checks:
        yield f"Last health check: {said.check(facts.checks[-1])}"
    elif facts.health:
        yield "Last health check: none has ended yet."
    if facts.ports:
        yield f"Ports: {ports(evidence)}."
    if not evidence.lines:
        yield "It logged nothing."
        return
    yield "Last log lines:"
    yield from (f"  | {said.readable(line)}" for line in evidence.lines[-SHOWN_LINES:])


def ports(evidence: Evidence) -> str:
    """Return what listens in the container, and what is published of it and answers on the host."""
    if evidence.sockets is None:
        inside = "unknown, it does not run" if evidence.ended else "unknown"
    else:
        inside = said.listed(f"{each.address}:{each.port}" for each in evidence.listens) or "nothing listens"
    outside = []
    for port, (address, host) in evidence.facts.ports.items():
        at = f"{address or '*'}:{host}" if host else f"{address or '*'}, a free port"
        refusal = (evidence.refused or {}).get(f"{address}:{host}")
        outside.append(f"{port} published at {at}" + (f" ({refusal})" if refusal else ""))
    return f"inside: {inside}; on the host: {said.listed(outside)}"
