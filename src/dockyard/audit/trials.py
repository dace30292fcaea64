"""What was seen on containers and builds of their own, started to be tried: rules judge it, probes fill it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.audit.observed import Exchange, Ran


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """The image's own health check: run with the service up, hung and down.

    Attributes:
        healthy_after: Seconds from the start to `healthy`.
        start_period: Seconds of grace that the image asks for.
    """

    up: Ran
    hung: Ran
    down: Ran
    healthy_after: float
    start_period: float


@dataclass(frozen=True, kw_only=True)
class Hang:
    """SIGSTOP, then SIGCONT. A time is None if the state did not come within `allowed` seconds."""

    allowed: float
    unhealthy_after: float | None
    healthy_after: float | None
    output: str


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """The health routes without a model, and with the model's registry cut off; `registry` is None if none is set."""

    ready: Exchange
    live: Exchange
    registry: Exchange | None


@dataclass(frozen=True, kw_only=True)
class LogFailure:
    """The service on a log volume that cannot be written.

    Attributes:
        kind: How it cannot.
        requests: Predictions that were asked for.
        answer: The worst answer to them.
        said: The lines of its output that name the folder.
    """

    kind: str
    requests: int
    answer: Exchange
    said: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Starts with bad keys, which must fail, and what a good start accepts.

    Attributes:
        none: The end of a start without any key.
        refused: The ends of starts with an empty, a default and a short key.
        query: A request with the key in its query string.
        rotation: A request with each of two keys.
        file: A request on a container that got its key as a file.
    """

    none: Ran
    refused: tuple[Ran, ...]
    query: Exchange
    rotation: tuple[Exchange, ...]
    file: Exchange


@dataclass(frozen=True, kw_only=True)
class Volume:
    """The logs volume mounted in one way; `error` is empty if the container's user wrote there."""

    kind: str
    owner: str
    mode: str
    error: str


@dataclass(frozen=True, kw_only=True)
class CanaryBuild:
    """Canary files planted in a context, and those that a real build copied."""

    planted: tuple[str, ...]
    arrived: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Rebuild:
    """One rebuild after one edit.

    Attributes:
        edit: What was changed, for instance `touched src/app.py`.
        kind: source, config or lock.
        ran: Instructions that BuildKit ran.
        cached: Instructions that it took from its cache.
        mounts: Cache mounts of the steps that ran, with the bytes each holds.
    """

    edit: str
    kind: str
    ran: tuple[str, ...]
    cached: tuple[str, ...]
    seconds: float
    mounts: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class SecretTrial:
    """A canary secret given to a build, and a search for its value."""

    secrets: tuple[str, ...]
    searched: tuple[str, ...]
    found: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Twice:
    """Two builds without cache: their digests, and the files that differ."""

    digests: tuple[str, ...]
    differing: tuple[str, ...]
