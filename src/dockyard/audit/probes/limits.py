"""Requests that are too large, too many or too slow, on a container of their own: they take up to half a minute."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

from dockyard.audit.observed import Burst, Limits, Slow
from dockyard.audit.probes import web
from dockyard.audit.probes.session import told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.audit.observed import Exchange
    from dockyard.audit.probes.session import Session
    from dockyard.smoke import Target

SLOW_SECONDS = 20.0
LARGE = 32 * 2**20
PIECE = 2**16
BURST = 40
AT_ONCE = 8
A_MINUTE = 5


def limits(session: Session) -> Mapping[str, object]:
    """Send what no service should take: all of it that waits, at once."""
    with session.start() as target, ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [pool.submit(_dawdle, session, target, name, sent) for name, sent in _beginnings(session, target)]
        oversized = tuple(_oversized(target))
        burst = _burst(target, session, "production")
        limited = _limited(session)
        slow = tuple(each.result() for each in waiting)
    return {"limits": Limits(oversized=oversized, burst=burst, limited=limited, slow=slow)}


def _beginnings(session: Session, target: Target) -> Iterator[tuple[str, bytes]]:
    """Yield requests that break off: within the head, and within the body."""
    route = session.settings.smoke.keyed_route
    whole = web.head(target, "POST", route, {**web.JSON, **web.keyed(target), "Content-Length": "100"})
    yield "no byte at all", b""
    yield f"POST {route}, half of its head", whole[: len(whole) // 2]
    yield f"POST {route}, half of its body", whole + b'{"a": ['


def _dawdle(session: Session, target: Target, name: str, sent: bytes) -> Slow:
    """Send the beginning of a request and wait who loses patience first."""
    begun = time.monotonic()
    with closing(web.connect(target, 0.2)) as connection:
        connection.sendall(sent)

        def cut() -> float | None:
            try:
                connection.recv(1)
            except TimeoutError:
                return None
            except OSError:
                pass
            return time.monotonic() - begun

        return Slow(request=name, closed_after=session.until(cut, SLOW_SECONDS, pause=0), allowed=SLOW_SECONDS)


def _oversized(target: Target) -> Iterator[Exchange]:
    """Send 32 MiB, announced and unannounced."""
    route, keyed = target.settings.smoke.keyed_route, {**web.JSON, **web.keyed(target)}
    piece = b" " * PIECE
    yield web.ask(
        target,
        "POST",
        route,
        headers={**keyed, "Content-Length": str(LARGE)},
        body=(piece for _ in range(LARGE // PIECE)),
        name=f"POST {route}, 32 MiB with their length",
    )
    chunk = b"%x\r\n%s\r\n" % (PIECE, piece)
    yield web.ask(
        target,
        "POST",
        route,
        headers={**keyed, "Transfer-Encoding": "chunked"},
        body=(each for each in (*(chunk for _ in range(LARGE // PIECE)), b"0\r\n\r\n")),
        name=f"POST {route}, 32 MiB in chunks",
    )


def _burst(target: Target, session: Session, profile: str) -> Burst:
    """Ask for many predictions, several at once."""
    body = json.dumps(session.golden().request).encode()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = pool.map(lambda _: web.predict(target, body).status, range(BURST))
        return Burst(profile=profile, statuses=Counter(statuses))


def _limited(session: Session) -> Burst | None:
    """Send the same burst where the service's own limit is switched on."""
    name = session.settings.audit.rate_env
    if not name:
        return None
    with session.start(told({name: str(A_MINUTE)})) as target:
        return _burst(target, session, f"{name}={A_MINUTE}")
