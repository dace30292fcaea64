"""Around every request: its id, its time, its log line, and an answer even when the code below breaks."""

from __future__ import annotations

import os
import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect

from house_pricing import logs, problems

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from house_pricing.loader import Loader
    from house_pricing.metrics import Metrics

WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{1,64}")
PROBES = {"/health", "/ready", "/metrics"}
CLIENT_LEFT = 499
LATE = "house_pricing.late"  # in the scope of a request that was cut off before all of it had come


class RequestLog:
    """Pure ASGI: BaseHTTPMiddleware would cost two thirds of the throughput.

    Args:
        app: The application.
        log: Where the line goes.
        metrics: Counts it.
        loader: Knows the version of the model being served.
    """

    def __init__(self, app: ASGIApp, log: logs.Log, metrics: Metrics, loader: Loader) -> None:
        self._app = app
        self._log = log
        self._metrics = metrics
        self._loader = loader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        scope["request_id"] = request_id = _request_id(scope)
        status = 0
        self._metrics.in_progress += 1

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        fault: dict[str, str] = {}
        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            status = CLIENT_LEFT
        except Exception as error:  # the last place where a bug can become an answer
            fault = logs.describe(error)
            if status == 0:
                broken = problems.ProblemError(500, "The service failed; its log has the reason.")
                await problems.response(scope, broken)(scope, receive, send_with_id)
            status = 500
        finally:
            self._metrics.in_progress -= 1
            late = scope.get(LATE) and HTTPStatus.REQUEST_TIMEOUT.value
            self._write(scope, late or status or CLIENT_LEFT, start, fault)

    def _write(self, scope: Scope, status: int, start: float, fault: dict[str, Any]) -> None:
        seconds = time.perf_counter() - start
        route = getattr(scope.get("route"), "path", None)
        self._metrics.request(scope["method"], route or "(none)", status, seconds)
        failed = status >= HTTPStatus.INTERNAL_SERVER_ERROR and route not in PROBES
        quiet = route in PROBES and status == HTTPStatus.OK
        self._log.event(
            "error" if failed else "debug" if quiet else "info",
            "request",
            request_id=scope["request_id"],
            method=scope["method"],
            route=route or "(none)",
            status=status,
            ms=round(seconds * 1000, 3),
            model_version=self._loader.model_version,
            **fault,
        )


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and WELL_FORMED.fullmatch(value):
            return str(value, "ascii")
    return os.urandom(16).hex()
