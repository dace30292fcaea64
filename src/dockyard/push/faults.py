"""What fails on the way to a registry: for a moment, so that another attempt may help, or for good; and what to do."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from dockyard.errors import DeployError, EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dockyard.settings.pushes import Push

Answer = TypeVar("Answer")

# As Go's network libraries and docker say it; what is not known is not tried again.
PASSING = re.compile(
    r"connection (refused|reset)|broken pipe|\bEOF\b|i/o timeout|TLS handshake timeout|deadline exceeded"
    r"|no route to host|network is unreachable|server misbehaving|use of closed network connection"
    r"|did not answer within|timeout awaiting response headers|http2: .*(closed|GOAWAY)|Client\.Timeout"
    r"|\b(408|425|429|500|502|503|504)\b[ :]*(Request Timeout|Too|Internal|Bad Gateway|Service|Gateway)"
    r"|toomanyrequests|received unexpected HTTP status: 5",
    re.IGNORECASE,
)
NO_ENGINE = re.compile(r"docker daemon|docker engine|docker\.sock", re.IGNORECASE)
DENIED = re.compile(
    r"\b40[13]\b|denied|unauthorized|no basic auth|authorization failed|insufficient_scope", re.IGNORECASE
)
CERTIFICATE = re.compile(r"x509|certificate", re.IGNORECASE)
PLAIN = re.compile(r"HTTP response to HTTPS client", re.IGNORECASE)


def passing(error: EngineError) -> bool:
    """Whether another attempt may succeed."""
    told = f"{error.what} {error.why}"
    lasting = CERTIFICATE.search(told) or DENIED.search(told) or NO_ENGINE.search(told)
    return bool(PASSING.search(told)) and not lasting


@dataclass(kw_only=True)
class Sent:
    """What a push has brought into a registry so far, whatever became of it then.

    Attributes:
        layers: Those that went over the network.
        tags: Those that the registry took.
    """

    layers: set[str] = field(default_factory=set)
    tags: list[str] = field(default_factory=list)

    def again(self) -> str:
        """Return what another push finds there."""
        once_more = "`invoke push` once more"
        if self.tags:
            return f"{' and '.join(self.tags)} {_was(self.tags)} pushed: {once_more} sends what is missing of the rest."
        if self.layers:
            count = len(self.layers)
            layers = f"{count} layers were" if count > 1 else "One layer was"
            return f"{layers} sent, and the registry has what it took: {once_more} sends the rest."
        return f"When the registry answers, {once_more} sends what it lacks."


def _was(tags: Sequence[str]) -> str:
    return "was" if len(tags) == 1 else "were"


def retried(
    action: Callable[[], Answer],
    what: str,
    *,
    registry: str,
    push: Push,
    announce: Callable[[str], None],
    sent: Sent,
) -> Answer:
    """Return an action's answer; what failed for a moment is tried again, each time after a longer pause.

    Args:
        action: Raises EngineError.
        what: What did not happen if it fails.
        registry: Its host.
        push: How often, and after how long.
        announce: Told of each failure that is not the last.
        sent: What is there already, for whoever reads the error.

    Raises:
        DeployError: The registry failed to the end, or refused.
        EngineError: The engine itself does not answer.
    """
    pause = push.pause
    for attempt in range(1, push.attempts + 1):
        try:
            return action()
        except EngineError as error:
            if attempt == push.attempts or not passing(error):
                raise _explained(what, error, registry, attempt, sent) from None
            announce(f"{error.why.splitlines()[-1]}: attempt {attempt + 1} of {push.attempts} in {pause:g} s")
        time.sleep(pause)
        pause *= 2
    raise AssertionError


def _explained(what: str, error: EngineError, registry: str, attempts: int, sent: Sent) -> DeployError | EngineError:
    """Return the error of what failed, with what helps; the engine's own troubles stay what they are."""
    why = error.why
    if NO_ENGINE.search(f"{error.what} {why}"):
        return error
    if passing(error):
        return DeployError(what, f"{why}\nIt was tried {_times(attempts)}.", sent.again())
    if CERTIFICATE.search(why):
        todo = f"Put the certificate of its CA into /etc/docker/certs.d/{registry}/ca.crt where the engine runs."
    elif PLAIN.search(why):
        todo = f"It speaks no TLS: give it a certificate, or list {registry} in `insecure-registries` of the engine."
    elif DENIED.search(why):
        todo = f"Log in with `docker login {registry}`, or set DOCKYARD_PUSH_USER and DOCKYARD_PUSH_PASSWORD."
    else:
        todo = "Mend what is said above, then run `invoke push` again: it sends what is missing."
    return DeployError(what, why, todo)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
