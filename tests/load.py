"""A load of clients that forgive nothing: a request without a 200 is a failure, whatever the reason."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request: what kind of client sent it, when it began, how long it took, and what was wrong with it."""

    kind: str
    begun: float
    seconds: float
    problem: str


class Load:
    """Clients that ask all the time: on kept connections, on a new one each time, and slowly.

    A slow one sends its headers and the first half of its body, waits, and sends the rest: all the while its request is
    in flight in the container that got it.

    Args:
        url: Of the service.
        route: Asked with POST.
        clients: How many of each kind: keep, new, slow.
        slow: Seconds that a slow request takes.
    """

    def __init__(
        self,
        url: str,
        route: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        clients: tuple[int, int, int] = (2, 2, 2),
        slow: float = 3.0,
    ) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._route, self._body, self._headers = route, body, dict(headers)
        self._slow = slow
        self._ended = threading.Event()
        kinds = zip(("keep", "new", "slow"), clients, strict=True)
        self._threads = [
            threading.Thread(target=self._ask, args=(kind,), daemon=True) for kind, count in kinds for _ in range(count)
        ]
        self.asked: list[Asked] = []

    def __enter__(self) -> Self:
        """Begin."""
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, once every request that was begun is answered."""
        self._ended.set()
        for each in self._threads:
            each.join()

    @property
    def failed(self) -> list[Asked]:
        """The requests that got no 200."""
        return [each for each in self.asked if each.problem]

    def _ask(self, kind: str) -> None:
        connection = self._connect()
        while not self._ended.is_set():
            begun = time.monotonic()
            try:
                problem = self._one(connection, slow=kind == "slow")
            except (OSError, http.client.HTTPException) as error:
                problem = repr(error)
                connection.close()
            ended = time.monotonic()
            self.asked.append(Asked(kind=kind, begun=begun, seconds=ended - begun, problem=problem))
            if kind == "new":
                connection.close()
        connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._host, self._port, timeout=SECONDS)

    def _one(self, connection: http.client.HTTPConnection, *, slow: bool) -> str:
        connection.putrequest("POST", self._route)
        for name, value in {**self._headers, "Content-Length": str(len(self._body))}.items():
            connection.putheader(name, value)
        half = len(self._body) // 2 if slow else 0
        connection.endheaders(self._body[:half] or None)
        if slow:
            time.sleep(self._slow)
        connection.send(self._body[half:])
        answer = connection.getresponse()
        told = answer.read()
        return "" if answer.status == http.client.OK else f"{answer.status} {told[:200]!r}"
