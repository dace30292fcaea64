"""Requests as a stranger, a client or an attacker sends them: with any method, header and body, in any pieces."""

from __future__ import annotations

import http.client
import socket
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dockyard.audit.observed import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dockyard.smoke import Target

SECONDS = 10
SHOWN = 2000
JSON = {"Content-Type": "application/json"}


def connect(target: Target, seconds: float = SECONDS) -> socket.socket:
    """Open a connection to a container."""
    parts = urlsplit(target.url)
    return socket.create_connection((parts.hostname or "", parts.port or 80), timeout=seconds)


def keyed(target: Target, key: str | None = None) -> dict[str, str]:
    """Return the header with a key: the container's own, or another."""
    return {target.settings.smoke.key_header: target.key if key is None else key}


def head(target: Target, method: str, route: str, headers: Mapping[str, str]) -> bytes:
    """Return a request's head, byte for byte as given: nothing is quoted or refused, as http.client would."""
    told = {"Host": urlsplit(target.url).netloc, **headers}
    lines = [f"{method} {route} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def ask(
    target: Target,
    method: str,
    route: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | Iterable[bytes] = b"",
    name: str = "",
) -> Exchange:
    """Send one request in its pieces and return the answer, also one that comes before the request is complete.

    Args:
        target: Whom to ask.
        method: Any word.
        route: Any text.
        headers: Any; Content-Length and Connection come on top where a body is given whole.
        body: Whole, or pieces that are sent as they are.
        name: What people are told of it; the method and the route if empty.
    """
    given = dict(headers or {})
    if isinstance(body, bytes):
        given |= {"Content-Length": str(len(body))} if body or method in ("POST", "PUT", "PATCH") else {}
        body = [body]
    begun = time.monotonic()
    try:
        with closing(connect(target)) as connection:
            _send(connection, [head(target, method, route, {**given, "Connection": "close"}), *body])
            status, told, text = answer(connection, method)
    except (OSError, http.client.HTTPException) as error:
        status, told, text = 0, {}, f"{type(error).__name__}: {error}"
    return Exchange(
        request=name or f"{method} {route}",
        status=status,
        answer=blotted(text[:SHOWN], target),
        seconds=time.monotonic() - begun,
        headers={name: blotted(value, target) for name, value in told.items()},
    )


def _send(connection: socket.socket, pieces: Iterable[bytes]) -> None:
    """Send until somebody answers: who refuses a large request says so before it is complete, and hangs up."""
    for piece in pieces:
        connection.settimeout(0)
        with suppress(BlockingIOError):
            if connection.recv(1, socket.MSG_PEEK) is not None:
                break
        connection.settimeout(SECONDS)
        try:
            connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            break
    connection.settimeout(SECONDS)


def answer(connection: socket.socket, method: str = "GET") -> tuple[int, dict[str, str], str]:
    """Read an answer: status, headers and text."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    headers = {name.lower(): value for name, value in response.getheaders()}
    try:
        content = response.read(SHOWN * 4)
    except http.client.IncompleteRead as error:
        content = error.partial
    return response.status, headers, content.decode("utf-8", "replace")


def blotted(text: str, target: Target) -> str:
    """Return a text without the container's key."""
    return text.replace(target.key, "<key>") if target.key else text


def predict(target: Target, body: bytes, *, key: str | None = None, name: str = "") -> Exchange:
    """Ask for a prediction with the container's key, or another one."""
    route = target.settings.smoke.keyed_route
    return ask(target, "POST", route, headers={**JSON, **keyed(target, key)}, body=body, name=name)
