"""Asks a service all the time while it is replaced, as its users do: what they would have noticed."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

PAUSE = 0.02
CALM = 0.25  # where nothing is about to change
ANSWER_SECONDS = 1.0
LAST_SECONDS = 2.0
OK = 200


@dataclass(frozen=True, kw_only=True)
class Outage:
    """What clients noticed of a swap.

    Attributes:
        seconds: The whole time in which they asked.
        asked: How many requests were sent.
        failed: How many of them got no good answer.
        silent: Seconds between the last good answer before a failure and the first one after it.
    """

    seconds: float
    asked: int
    failed: int
    silent: float

    def __add__(self, later: Outage) -> Outage:
        return Outage(
            seconds=self.seconds + later.seconds,
            asked=self.asked + later.asked,
            failed=self.failed + later.failed,
            silent=self.silent + later.silent,
        )

    def __str__(self) -> str:
        if not self.failed:
            return f"none of {self.asked} requests failed"
        return f"{self.failed} of {self.asked} requests failed, {self.silent:.2f} s without an answer"


def answers(url: str, route: str, *, seconds: float = ANSWER_SECONDS) -> bool:
    """Whether a route answers 200, on a connection of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    try:
        connection.request("GET", route)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return False
    else:
        return answer.status == OK
    finally:
        connection.close()


def outage(asked: Iterable[tuple[float, float, bool]], *, seconds: float) -> Outage:
    """Count what was asked: when each request was sent, when it ended, and whether it was answered well."""
    requests = list(asked)
    silent, last = 0.0, requests[0][0] if requests else 0.0
    failing = False
    for _, ended, good in requests:
        if good:
            silent += ended - last if failing else 0.0
            last = ended
        failing = not good
    if failing:
        silent += requests[-1][1] - last
    failed = sum(not good for _, _, good in requests)
    return Outage(seconds=seconds, asked=len(requests), failed=failed, silent=silent)


class Prober:
    """Asks a route from `begin` to `end`, every 20 ms unless it is told otherwise.

    Args:
        url: Where the service is published; empty asks nothing.
        route: The route that answers 200 while it serves.
    """

    def __init__(self, url: str, route: str) -> None:
        self._url, self._route = url, route
        self._thread: threading.Thread | None = None

    def begin(self, pause: float = PAUSE) -> None:
        """Ask from now on; who asks already goes on, at this pace."""
        self._pause = pause
        if self._url and self._thread is None:
            self._asked: list[tuple[float, float, bool]] = []
            self._begun = time.monotonic()
            self._ended = threading.Event()
            self._thread = threading.Thread(target=self._ask, name="prober", daemon=True)
            self._thread.start()

    def end(self) -> Outage | None:
        """Return what was noticed; None if nothing was asked."""
        if self._thread is None:
            return None
        seconds = time.monotonic() - self._begun
        self._ended.set()
        self._thread.join()
        self._thread = None
        return outage(self._asked, seconds=seconds)

    def _ask(self) -> None:
        deadline = float("inf")
        while True:
            begun = time.monotonic()
            good = answers(self._url, self._route)
            now = time.monotonic()
            self._asked.append((begun, now, good))
            if self._ended.is_set():
                # A moment more, for the answer that says how long the silence was.
                deadline = min(deadline, now + LAST_SECONDS)
                if good or now >= deadline:
                    return
            time.sleep(self._pause)
