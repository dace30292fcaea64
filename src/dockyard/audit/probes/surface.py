"""What a stranger gets out of the production container: routes, documentation, odd methods, odd bodies."""

from __future__ import annotations

import http.client
import json
import re
from typing import TYPE_CHECKING, Any

from dockyard.audit.observed import Route, Routes, Surface
from dockyard.audit.probes import web
from dockyard.audit.probes.session import told
from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.audit.probes.session import Session
    from dockyard.smoke import Target

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
ODD_METHODS = ("TRACE", "TRACK", "CONNECT", "PUT", "DELETE", "PATCH", "DEBUG")
CLOSED = (
    "/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.yaml", "/swagger", "/swagger.json", "/swagger-ui/index.html",
    "/api-docs", "/graphql", "/debug", "/console", "/admin", "/actuator", "/config", "/env", "/.env", "/.git/config",
    "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
)  # fmt: skip
WRONG = "x" * 43
DEEP = 100_000


def routes(session: Session, target: Target) -> Routes:
    """Ask every documented route without a key and with a wrong one, and the health routes as a stranger."""
    source, document = _document(session, target)
    smoke = session.settings.smoke
    known = {*documented(document), *([("POST", smoke.predict)] if smoke.predict else [])}
    body = json.dumps(session.golden().request).encode() if smoke.golden else b"{}"
    found = []
    for method, path in sorted(known, key=lambda each: (each[1], each[0])):
        sent = body if method in ("POST", "PUT", "PATCH") else b""
        plain = re.sub(r"\{[^}]*\}", "1", path)
        found.append(
            Route(
                method=method,
                path=path,
                no_key=web.ask(target, method, plain, headers=web.JSON, body=sent, name=f"{method} {path}, no key"),
                wrong_key=web.ask(
                    target,
                    method,
                    plain,
                    headers={**web.JSON, **web.keyed(target, WRONG)},
                    body=sent,
                    name=f"{method} {path}, wrong key",
                ),
            )
        )
    health = tuple(web.ask(target, "GET", route) for route in (smoke.health, smoke.ready))
    return Routes(source=source, routes=tuple(found), health=health)


def documented(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield method and path of every operation of an OpenAPI document."""
    paths = document.get("paths")
    for path, operations in paths.items() if isinstance(paths, dict) else ():
        for method in operations if isinstance(operations, dict) else ():
            if method in METHODS:
                yield method.upper(), path


def _document(session: Session, target: Target) -> tuple[str, Mapping[str, Any]]:
    """Return the OpenAPI document and where it came from: of production where that shows it, else of development."""
    route = session.settings.audit.openapi
    if document := _read(target, route):
        return f"GET {route} in production", document
    development = told({"API_ENV": "development", **session.settings.dev.env})
    with session.start(development) as open_one:
        if document := _read(open_one, route):
            return f"GET {route} with API_ENV=development", document
    raise EngineError(
        "The list of routes cannot be had.",
        f"GET {route} answers with no OpenAPI document, in production or with API_ENV=development.",
        "Name its route: `openapi` in [tool.dockyard.audit].",
    )


def _read(target: Target, route: str) -> Mapping[str, Any] | None:
    answer = target.ask("GET", route, key=target.key)
    document = answer.document if answer.status == http.client.OK else None
    return document if isinstance(document, dict) and any(documented(document)) else None


def surface(session: Session, target: Target) -> Surface:
    """Ask for what must not be there, with methods that must not work, and for nonsense."""
    predict, closed = session.settings.smoke.keyed_route, dict.fromkeys((session.settings.audit.openapi, *CLOSED))
    keyed = {**web.JSON, **web.keyed(target)}
    return Surface(
        docs=tuple(web.ask(target, "GET", route) for route in closed),
        methods=tuple(web.ask(target, method, predict, headers=keyed) for method in ODD_METHODS),
        malformed=tuple(
            web.ask(target, "POST", predict, headers={**keyed, **headers}, body=body, name=f"POST {predict}, {name}")
            for name, body, headers in _nonsense(session)
        ),
    )


def _nonsense(session: Session) -> Iterator[tuple[str, bytes, Mapping[str, str]]]:
    """Yield bodies that no service can make sense of, with the headers that differ."""
    plain: Mapping[str, str] = {}
    yield "no JSON", b'{"not json', plain
    yield "an empty body", b"", plain
    yield "an XML body", b"<?xml version='1.0'?><a/>", {"Content-Type": "application/xml"}
    yield "bytes that are no UTF-8", b'{"a": "\xff\xfe\x00"}', plain
    yield "a list", b"[]", plain
    yield "null", b"null", plain
    yield "deep nesting", b"[" * DEEP, plain
    yield "deep nesting of objects", b'{"a":' * DEEP, plain
    yield "a body that is not what it is said to be", b"no gzip", {"Content-Encoding": "gzip"}
    if session.settings.smoke.golden:
        request = json.dumps(session.golden().request)
        for name, number in (("1e999", "1e999"), ("NaN", "NaN"), ("a number of 5000 digits", "9" * 5000)):
            yield f"{name} for every number", with_numbers(request, number), plain


def with_numbers(request: str, number: str) -> bytes:
    """Return a JSON text with another number in place of each of its own."""
    marked = json.dumps(_marked(json.loads(request)))
    return marked.replace('"\\u0000"', number).encode()


def _marked(value: Any) -> Any:
    """Put a mark that no text of a request holds in place of every number."""
    if isinstance(value, dict):
        return {name: _marked(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_marked(each) for each in value]
    return "\0" if isinstance(value, int | float) and not isinstance(value, bool) else value
