"""What the service writes: for hostile requests, and of its key."""

from __future__ import annotations

import base64
import json
import secrets
from functools import partial
from typing import TYPE_CHECKING

from dockyard.audit.observed import Exchange, Leak, LogLines
from dockyard.audit.probes import web
from dockyard.audit.probes.session import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockyard.audit.probes.session import Session
    from dockyard.smoke import Target

QUIET_SECONDS = 0.3
SETTLE_SECONDS = 5
TRIES = 3
SHOWN_LINE = 300
ENVIRON = "import sys; sys.stdout.write(open('/proc/1/environ').read() + open('/proc/1/cmdline').read())"


def lines_of(session: Session, target: Target) -> tuple[str, ...]:
    """Return the lines a container has written; only a line feed ends one, so that nothing hides in another."""
    return tuple(line for line in text_of(session.look(target).output()).split("\n") if line)


def settled(session: Session, target: Target) -> tuple[str, ...]:
    """Return the lines once no more come: a service may gather them for a moment."""
    known = lines_of(session, target)

    def quiet() -> tuple[str, ...] | None:
        nonlocal known
        before, known = known, lines_of(session, target)
        return known if len(known) == len(before) else None

    session.pause(QUIET_SECONDS)
    return session.until(quiet, SETTLE_SECONDS, pause=QUIET_SECONDS) or known


def log_lines(session: Session, target: Target) -> LogLines:
    """Send requests that try to write lines of their own, and count what each leaves."""
    mark = f"forged-{secrets.token_hex(4)}"
    body = json.dumps(session.golden().request).encode()
    plain = _count(session, target, lambda: web.predict(target, body), 1)
    hostile = dict(_hostile(target, mark, body))
    counted = tuple(_count(session, target, ask, plain) for ask in hostile.values())
    lines = settled(session, target)
    return LogLines(
        sent=tuple(hostile),
        lines=tuple(web.blotted(line, target) for line in lines),
        forged=tuple(line[:SHOWN_LINE] for line in lines if _is_forged(line, mark)),
        usual=plain,
        per_request=counted,
    )


def _count(session: Session, target: Target, ask: Callable[[], object], usual: int) -> int:
    """Return how many lines a request leaves: the least of some tries, since health checks may leave theirs between."""
    least = None
    for _ in range(TRIES):
        before = len(lines_of(session, target))
        ask()
        left = len(settled(session, target)) - before
        least = left if least is None else min(least, left)
        if least <= usual:
            break
    return least or 0


def _is_forged(line: str, mark: str) -> bool:
    """Whether a line is one that a request wrote: the mark stands where only the service's own words belong."""
    try:
        told = json.loads(line)
    except ValueError:
        return line.lstrip().startswith(mark)
    return isinstance(told, dict) and told.get("event") == mark


def _hostile(target: Target, mark: str, body: bytes) -> Iterator[tuple[str, Callable[[], Exchange]]]:
    """Yield requests: what people are told of each, and how it is sent."""
    line = json.dumps({"ts": 0, "level": "info", "event": mark})
    quoted = "".join(f"%{ord(each):02x}" for each in f"\r\n{line}\r\n{mark}")
    predict = target.settings.smoke.keyed_route
    routes = {
        "CR and LF in the path": f"/nothing{quoted}",
        "CR and LF in the query": f"{predict}?a={quoted}",
        "ANSI codes in the path": "/nothing%1b[2J%1b[31mred%1b]0;title%07",
        "bytes that are no UTF-8 in the path": "/nothing%ff%fe%00",
        "a path of 6000 letters": f"/{'a' * 6000}",
    }
    for name, route in routes.items():
        yield name, partial(web.ask, target, "GET", route)
    headers = {
        "ANSI codes and a lone CR in headers": f"\x1b[2J\x9b31m\r{mark}",
        "CR and LF, quoted, in headers": quoted,
        "JSON in headers": f'","event":"{mark}"}}{{"event":"{mark}"',
        "a folded header": f"a\r\n {line}",
        "bytes that are no UTF-8 in headers": "\xff\xfe\xe9",
    }
    for name, value in headers.items():
        given = dict.fromkeys(("User-Agent", "X-Request-ID", "X-Forwarded-For", "Referer"), value)
        sent = {**web.JSON, **web.keyed(target), **given}
        yield name, partial(web.ask, target, "POST", predict, headers=sent, body=body)
    yield "a method with ANSI codes", partial(web.ask, target, "G\x1b[2JT", "/")


def leak(session: Session, target: Target) -> Leak:
    """Send the key where it belongs and where it does not, and look for it in all that was written."""
    sent = tuple(exchange.request for exchange in _with_key(target))
    settled(session, target)
    found, searched = [], {}
    needles = {"": target.key.encode(), " as base64": base64.b64encode(f"user:{target.key}".encode())}
    for place, content in _places(session, target):
        searched[place] = len(content)
        found += [f"{place}{how}" for how, needle in needles.items() if needle in content]
    return Leak(sent=sent, searched=searched, found=tuple(found))


def _with_key(target: Target) -> Iterator[Exchange]:
    """Send the key in every part of a request, good and bad, and to routes that ask for none."""
    key, smoke = target.key, target.settings.smoke
    predict = smoke.keyed_route
    basic = base64.b64encode(f"user:{key}".encode()).decode()
    body = json.dumps({"key": key, "nothing": [key]}).encode()
    for name, route, headers, content in (
        ("key in its header, a body that is wrong", predict, web.keyed(target), body),
        ("key in its header, no JSON", predict, web.keyed(target), b'{"' + key.encode()),
        ("key in its header twice", predict, {**web.keyed(target), smoke.key_header.lower(): key}, body),
        ("key in the query", f"{predict}?api_key={key}", {}, body),
        ("key in the path", f"/{key}/{key}", {}, b""),
        ("key in the body", predict, {}, body),
        ("key in other headers", predict, {"User-Agent": key, "Referer": key, "Cookie": f"k={key}"}, body),
        ("key as bearer token", predict, {"Authorization": f"Bearer {key}"}, body),
        ("key as password", predict, {"Authorization": f"Basic {basic}"}, body),
        ("key with a byte too many", predict, web.keyed(target, f"{key}x"), body),
        ("key in its header, a wrong length", predict, {**web.keyed(target), "Content-Length": "x"}, b""),
        ("key in its header, 2 MiB", predict, web.keyed(target), key.encode() * (2**21 // len(key))),
    ):
        yield web.ask(target, "POST", route, headers={**web.JSON, **headers}, body=content, name=name)
    yield web.ask(target, key, "/", name="key as the method")


def _places(session: Session, target: Target) -> Iterator[tuple[str, bytes]]:
    """Yield where the key must not be, and what is there."""
    container = session.look(target)
    yield "its output", container.output()
    folder = session.settings.run.logs_target
    for name, content in session.engine.daemon.read_folder(target.facts.id, folder).items():
        yield f"{folder.rpartition('/')[0]}/{name}", content
    yield "docker inspect", json.dumps(container.inspect()).encode()
    commands = (command for *_, command in container.processes())
    yield "its processes", "\n".join(commands).encode()
    yield "its environment", session.python(target, ENVIRON).encode()
