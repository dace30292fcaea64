"""What was seen on the one container that runs as in production: rules judge it, probes fill it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request and its answer; `status` 0 means that none came, and `answer` then says why.

    Attributes:
        request: As a person would send it, without its key: `POST /predict, wrong key`.
        answer: The first characters of the body.
    """

    request: str
    status: int
    answer: str
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.request}: {self.status or 'no answer'} {self.answer[:120]}".rstrip()


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A command in a container, or a container's own: its end."""

    command: str
    code: int
    output: str
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process of a container, as the engine lists it; `state` is the letter of ps, for instance S or Z."""

    pid: int
    uid: int
    state: str
    command: str


@dataclass(frozen=True, kw_only=True)
class Socket:
    """A listening socket in the container's own network."""

    address: str
    port: int


@dataclass(frozen=True, kw_only=True)
class Write:
    """An attempt to write as the container's user; `error` is empty if it succeeded."""

    path: str
    error: str


@dataclass(frozen=True, kw_only=True)
class Load:
    """The service under load: its peak beside its limits. `limit` and `pids_limit` are 0 where there is none."""

    requests: int
    failures: int
    peak: int
    limit: int
    oom_killed: bool
    pids: int
    pids_limit: int
    health: str


@dataclass(frozen=True, kw_only=True)
class LogLines:
    """What hostile requests left in the log.

    Attributes:
        sent: The requests, each with CR, LF or ANSI codes in a header or path.
        lines: Every line of standard output since the start.
        forged: Lines that a request managed to write as its own.
        per_request: Lines written for each request sent.
    """

    sent: tuple[str, ...]
    lines: tuple[str, ...]
    forged: tuple[str, ...]
    per_request: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A search for the key: where it was looked for, how many bytes were read, where it was found."""

    sent: tuple[str, ...]
    searched: Mapping[str, int]
    found: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One documented route, asked without a key and with a wrong one."""

    method: str
    path: str
    no_key: Exchange
    wrong_key: Exchange


@dataclass(frozen=True, kw_only=True)
class Routes:
    """All documented routes, where the list came from, and what the health routes say to a stranger."""

    source: str
    routes: tuple[Route, ...]
    health: tuple[Exchange, ...]


@dataclass(frozen=True, kw_only=True)
class Surface:
    """What must not be reachable."""

    docs: tuple[Exchange, ...]
    malformed: tuple[Exchange, ...]
    methods: tuple[Exchange, ...]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Requests too large, too many and too slow; `burst` has the statuses of one burst, by count."""

    oversized: Exchange
    burst: Mapping[int, int]
    slow: Exchange


@dataclass(frozen=True, kw_only=True)
class Zombies:
    """The processes after so many health checks."""

    checks: int
    processes: tuple[Process, ...]


@dataclass(frozen=True, kw_only=True)
class Stop:
    """SIGTERM while a request was being sent: its answer, and how the process ended."""

    answer: Exchange
    exit_code: int
    seconds: float
    grace: float
