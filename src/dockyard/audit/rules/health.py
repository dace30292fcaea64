"""HLT-01, HLT-02: health states tell the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.audit.facts.running import OK, request
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.observed import Exchange
    from dockyard.audit.trials import Hang, Readiness
    from dockyard.audit.verdict import Proof

UNAVAILABLE = 503
PROMPT_SECONDS = 2.0


class Hangs(Rule):
    """A service that hangs turns unhealthy within what its health check promises, and healthy again once it goes on.

    A process that lives and answers nothing is the usual way for a service to die; whoever asks only whether the
    process is there never sees it.

    Remedy: a HEALTHCHECK that asks the service itself over HTTP, with a timeout of its own below `--timeout`, and
    answers 0 again as soon as the service does.
    """

    id = "HLT-01"
    title = "Unhealthy when it hangs, healthy when it recovers"
    severity = Severity.HIGH
    references = ("CIS 5.27",)

    @part
    def notices(self, hang: Hang) -> Iterator[Proof]:
        """The engine sees `unhealthy` in time."""
        place = Place(subject="SIGSTOP to every process")
        if hang.unhealthy_after is None:
            yield broken(f"not unhealthy within {hang.allowed:g} s of hanging: {hang.output[:160]}", place)
        else:
            told = f"unhealthy after {hang.unhealthy_after:.1f} s of hanging, promised are {hang.allowed:g} s"
            yield (holds if hang.unhealthy_after <= hang.allowed else broken)(told, place)

    @part
    def recovers(self, hang: Hang) -> Iterator[Proof]:
        """The engine sees `healthy` again."""
        place = Place(subject="SIGCONT to every process")
        if hang.healthy_after is not None:
            yield holds(f"healthy again after {hang.healthy_after:.1f} s", place)
        elif hang.unhealthy_after is not None:
            yield broken("not healthy again after it went on", place)


class Ready(Rule):
    """Readiness says whether the model serves; liveness neither needs the model nor asks its registry.

    A liveness route that looks beyond the process makes the orchestrator restart every instance when one server that
    none of them can mend is down; a readiness route that does not, sends requests to an instance without a model.

    Remedy: answer 503 on the readiness route until the model has been loaded and tried, and 200 on the liveness route
    from memory alone; load the model beside the server, not before it.
    """

    id = "HLT-02"
    title = "Readiness means that the model serves"
    severity = Severity.MEDIUM
    references = ("OWASP API 8",)

    @part
    def not_ready(self, readiness: Readiness) -> Iterator[Proof]:
        """Without a model it is not ready."""
        answer = readiness.ready
        yield (holds if answer.status == UNAVAILABLE else broken)(f"{answer}, wanted is 503", request(answer))

    @part
    def alive(self, readiness: Readiness) -> Iterator[Proof]:
        """Without a model, and without its registry, it is alive, and says so at once."""
        yield _prompt(readiness.live)
        if readiness.registry is not None:
            yield _prompt(readiness.registry)


def _prompt(answer: Exchange) -> Proof:
    """Return whether liveness was answered as from memory."""
    if answer.status != OK:
        return broken(f"{answer}, wanted is 200", request(answer))
    prompt = answer.seconds < PROMPT_SECONDS
    return (holds if prompt else broken)(f"{answer}, after {answer.seconds:.2f} s", request(answer))
