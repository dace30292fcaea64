"""What was seen on the one container that runs as in production: rules judge it, probes fill it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request and its answer; `status` 0 means that none came, and `answer` then says why.

    Attributes:
        request: As a person would send it, without its key: `POST /predict, wrong key`.
        answer: The first characters of the body, the key blotted out.
        headers: Of the answer, names in small letters.
    """

    request: str
    status: int
    answer: str
    seconds: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.request}: {self.status or 'no answer'} {self.answer[:120]}".rstrip()


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A command in a container, or a container's own: its end.

    Attributes:
        code: 124 for a command that did not end in time; 0 for a container that went on and served.
        output: Its last lines.
    """

    command: str
    code: int
    output: str
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process of a container, as the engine lists it.

    Attributes:
        state: The letter of ps, for instance S. The engine never lists a zombie, Z: `Zombies` is read in the container.
    """

    pid: int
    uid: int
    state: str
    command: str


@dataclass(frozen=True, kw_only=True)
class Write:
    """An attempt to write as the container's user; `error` is empty if it succeeded, and should be if `allowed`."""

    path: str
    error: str
    allowed: bool = False


@dataclass(frozen=True, kw_only=True)
class Change:
    """A path of a container's file system that is `added`, `changed` or `deleted`."""

    kind: str
    path: str


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
        lines: Every line of its output since the start; other bytes than UTF-8 are written out.
        forged: Lines that a request managed to write as its own.
        usual: Lines written for a plain prediction.
        per_request: Lines written for each request sent.
    """

    sent: tuple[str, ...]
    lines: tuple[str, ...]
    forged: tuple[str, ...]
    usual: int
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
class Burst:
    """Requests sent as fast as they are answered, as in `profile`: statuses by count."""

    profile: str
    statuses: Mapping[int, int]


@dataclass(frozen=True, kw_only=True)
class Slow:
    """A request of which a part was sent, and then nothing; `closed_after` is None if it was not cut off in time."""

    request: str
    closed_after: float | None
    allowed: float


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Requests too large, too many and too slow.

    Attributes:
        limited: A burst on a container whose rate limit is switched on; None where no setting is known to do it.
    """

    oversized: tuple[Exchange, ...]
    burst: Burst
    limited: Burst | None
    slow: tuple[Slow, ...]


@dataclass(frozen=True, kw_only=True)
class Zombies:
    """The processes after so many health checks, as /proc in the container has them."""

    checks: int
    processes: tuple[Process, ...]


@dataclass(frozen=True, kw_only=True)
class Stop:
    """SIGTERM while a request was being sent: its answer, and how the process ended."""

    answer: Exchange
    exit_code: int
    seconds: float
    grace: float
