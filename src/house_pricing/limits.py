"""What one client may ask for: bytes a request, requests a minute."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from house_pricing.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request

MAX_CALLERS = 10_000


class RateLimit:
    """A bucket a caller: `per_minute` requests at once, refilled evenly over a minute.

    Args:
        per_minute: Requests a minute; 0 allows everything.
        clock: A monotonic clock in seconds.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = float(per_minute)
        self._clock = clock
        self._buckets: dict[object, tuple[float, float]] = {}  # caller -> what was left, and when

    def take(self, caller: object) -> None:
        """Count one request.

        Raises:
            ProblemError: 429 with Retry-After; the refused request is not counted.
        """
        if not self._size:
            return
        now = self._clock()
        left, then = self._buckets.pop(caller, (self._size, now))
        left = min(self._size, left + (now - then) * self._size / 60)
        if left >= 1:
            self._keep(caller, left - 1, now)
            return
        self._keep(caller, left, now)
        wait = {"Retry-After": str(math.ceil((1 - left) * 60 / self._size))}
        raise ProblemError(429, f"More than {self._size:g} requests a minute; see Retry-After.", headers=wait)

    def _keep(self, caller: object, left: float, now: float) -> None:
        """Note the bucket; it is now the youngest, and the oldest goes where there are too many."""
        self._buckets[caller] = (left, now)
        if len(self._buckets) > MAX_CALLERS:
            del self._buckets[next(iter(self._buckets))]


async def read_body(request: Request, limit: int) -> bytes:
    """The body of a request.

    Raises:
        ProblemError: 413 as soon as more than `limit` bytes have come.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise ProblemError(413, f"The body is larger than {limit} bytes.", headers={"Connection": "close"})
    return bytes(body)
