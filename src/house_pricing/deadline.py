"""uvicorn's HTTP protocol with an end to its patience: who connects must ask, and who asks must come to the end of it.

A connection that waits for its client always has a timer: uvicorn's own (`timeout_keep_alive`) between two requests,
the one here otherwise. A request that comes in one piece, as nearly all do, costs none.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from house_pricing import problems
from house_pricing.middleware import LATE

if TYPE_CHECKING:
    import asyncio

    from starlette.types import Scope

    from house_pricing.logs import Log


class PatientProtocol(HttpToolsProtocol):
    """One connection; `within` makes the class that the server uses."""

    seconds: float
    log: Log
    _timer: asyncio.TimerHandle | None = None
    _arriving = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a first request."""
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more to wait for."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of what began; also after bytes that begin nothing, for which uvicorn ends its own wait."""
        super().data_received(data)
        if self._timer is None and (self._arriving or self._is_idle()):
            self._arm()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._disarm()
        self._arriving = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """The last byte of a request."""
        self._disarm()
        self._arriving = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The time in which the service worked is not the client's: what is arriving has all of it again."""
        if self._timer is not None:
            self._disarm()
            self._arm()
        super().on_response_complete()

    def _is_idle(self) -> bool:
        return self.timeout_keep_alive_task is None and (self.cycle is None or self.cycle.response_complete)

    def _is_ours(self) -> bool:
        """Whether the delay is our own: an answer is being worked out, or we do not read."""
        working = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        return working or self.flow.read_paused or bool(self.pipeline)

    def _arm(self) -> None:
        if not self.transport.is_closing():
            self._timer = self.loop.call_later(self.seconds, self._cut)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self._is_ours():
            self._arm()
            return
        self.log.event("info", "cut_off", got="a part" if self._arriving else "nothing", seconds=self.seconds)
        if self.cycle is not None and not self.cycle.response_started:
            self._answer(cast("Scope", self.cycle.scope))
        self.transport.close()

    def _answer(self, scope: Scope) -> None:
        """Say 408; the application sees a client that left."""
        if "request_id" not in scope:
            return  # the end of its head came just now: the application has not begun
        scope[LATE] = True
        late = problems.ProblemError(408, f"The request did not arrive within {self.seconds:g} s.")
        reply = problems.response(scope, late)
        reply.headers.update({"Connection": "close", "X-Request-ID": scope["request_id"]})
        head = b"".join(b"%b: %b\r\n" % pair for pair in reply.raw_headers)
        self.transport.write(STATUS_LINE[HTTPStatus.REQUEST_TIMEOUT] + head + b"\r\n" + bytes(reply.body))


def within(seconds: float, log: Log) -> type[HttpToolsProtocol]:
    """The protocol that cuts off who needs longer, and tells the log."""
    return type("Protocol", (PatientProtocol,), {"seconds": seconds, "log": log})
