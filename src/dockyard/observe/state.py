"""What an operator asks first, gathered into one value."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dockyard.engines.facts import moment
from dockyard.observe.line import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dockyard.engines.facts import ContainerFacts
    from dockyard.observe.drift import Drift
    from dockyard.observe.usage import Usage
    from dockyard.settings.logs import Logs

REFUSED = 400


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The last answered prediction, as the service's log tells it: when, how long it took, and the status."""

    time: datetime | None
    milliseconds: float
    status: int | None


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How the container ended last.

    Attributes:
        exit_code: None where the engine does not remember.
        oom_killed: Whether it was killed for memory; None likewise.
    """

    time: datetime
    exit_code: int | None
    oom_killed: bool | None


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder of the host, and what is in it."""

    path: str
    files: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class State:
    """One container.

    Attributes:
        url: Where it answers on this host; empty if nowhere.
        gateway: How the gateway before it is; empty without one.
        release: Its number; empty where it is none, as the development container is.
        version: Of the image, from its labels; so are revision and base. Empty where it has none.
        uptime: Seconds; None unless it runs.
        ended: None if it never did.
        usage: None unless it runs.
        prediction: None where the log tells of none.
        logs: None where that folder cannot be read.
        drift: In what it differs from the settings.
    """

    facts: ContainerFacts
    url: str
    digest: str
    gateway: str
    release: str
    version: str
    revision: str
    base: str
    uptime: float | None
    ended: Ended | None
    usage: Usage | None
    prediction: Prediction | None
    logs: Folder | None
    drift: tuple[Drift, ...]


def uptime(started: str, *, now: datetime | None = None) -> float | None:
    """Return the seconds since a time of the engine."""
    begun = moment(started)
    return max(((now or datetime.now(UTC)) - begun).total_seconds(), 0.0) if begun else None


def last_prediction(lines: Iterable[str], route: str, names: Logs) -> Prediction | None:
    """Return the last answer of a route that log lines tell of; a request that was refused is none."""
    found = None
    for line in lines:
        entry = parse(line.encode(), names)
        if entry is None or entry.route != route or entry.milliseconds is None:
            continue
        told = entry.fields.get("status")
        status = told if isinstance(told, int) else None
        if status is None or status < REFUSED:
            found = Prediction(time=entry.time, milliseconds=entry.milliseconds, status=status)
    return found


def measure(path: str) -> Folder | None:
    """Return how much is in a folder of this host; None if we may not look, or it is another host's."""
    if not os.access(path, os.R_OK | os.X_OK):
        return None
    sizes = []
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                sizes.append(os.lstat(f"{folder}/{name}").st_size)
            except OSError:  # rotated away meanwhile
                continue
    return Folder(path=path, files=len(sizes), bytes=sum(sizes))
