"""The service under load, and stopped while a request is on its way."""

from __future__ import annotations

import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dockyard.audit.observed import Exchange, Load, Stop
from dockyard.audit.probes import web

if TYPE_CHECKING:
    from dockyard.audit.probes.session import Session
    from dockyard.smoke import Target

CLIENTS = 8
LOAD_SECONDS = 3.0
SETTLE_SECONDS = 30
HALF_SECONDS = 0.5
# Reads both layouts of control groups. What the kernel could drop at once does not count towards the limit's danger.
PEAK = """
import json, sys, time
ROOT = '/sys/fs/cgroup/'
def read(*names):
    for name in names:
        try:
            return open(ROOT + name).read()
        except OSError:
            pass
    return ''
def used():
    current = int(read('memory.current', 'memory/memory.usage_in_bytes') or 0)
    stats = dict(line.split() for line in read('memory.stat', 'memory/memory.stat').splitlines())
    return current - int(stats.get('total_inactive_file', stats.get('inactive_file', 0)))
peak = pids = 0
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    peak, pids = max(peak, used()), max(pids, int(read('pids.current', 'pids/pids.current') or 0))
    time.sleep(0.05)
print(json.dumps([peak, pids]))
"""


def load(session: Session, target: Target) -> Load:
    """Ask for golden predictions from several clients at once for a few seconds, and read the peaks."""
    body = json.dumps(session.golden().request).encode()
    over = threading.Event()
    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        watched = pool.submit(session.python, target, PEAK, f"{LOAD_SECONDS:g}", seconds=LOAD_SECONDS + 30)
        clients = [pool.submit(_client, target, body, over) for _ in range(CLIENTS)]
        try:
            session.pause(LOAD_SECONDS)
        finally:
            over.set()
        told = [each.result() for each in clients]
        peak, pids = json.loads(watched.result())
    host = session.look(target).inspect()["HostConfig"]
    health = session.until(lambda: _settled(session, target), SETTLE_SECONDS)
    facts = session.engine.daemon.container(target.facts.id)
    return Load(
        requests=sum(asked for asked, _ in told),
        failures=sum(failed for _, failed in told),
        peak=peak,
        limit=host.get("Memory") or 0,
        oom_killed=bool(facts and facts.oom_killed),
        pids=pids,
        pids_limit=max(host.get("PidsLimit") or 0, 0),
        health=health or (facts.health if facts else "gone"),
    )


def _settled(session: Session, target: Target) -> str | None:
    """Return `healthy` once the service is ready and the engine still thinks so."""
    facts = session.engine.daemon.container(target.facts.id)
    ready = target.ask("GET", session.settings.smoke.ready)
    return facts.health or facts.status if facts and ready.status == http.client.OK else None


def _client(target: Target, body: bytes, over: threading.Event) -> tuple[int, int]:
    """Ask over one connection until it is over; return how often, and how often in vain."""
    parts = urlsplit(target.url)
    asked = failed = 0
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=web.SECONDS)
    with closing(connection):
        while not over.is_set():
            asked += 1
            # A server may close a kept connection at any moment: every client then asks once more, over a new one.
            if (_status(connection, target, body) or _status(connection, target, body)) != http.client.OK:
                failed += 1
                over.wait(0.05)
    return asked, failed


def _status(connection: http.client.HTTPConnection, target: Target, body: bytes) -> int:
    """Ask for a prediction and return the status of the answer; 0 if none came, and the connection is closed."""
    try:
        connection.request("POST", target.settings.smoke.keyed_route, body, {**web.JSON, **web.keyed(target)})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return 0
    return answer.status


def stop(session: Session, target: Target) -> Stop:
    """Send half of a prediction, SIGTERM, then the rest: it must be answered, and the process end by itself."""
    body = json.dumps(session.golden().request).encode()
    route, grace = session.settings.smoke.keyed_route, session.settings.run.stop_timeout
    headers = {**web.JSON, **web.keyed(target), "Content-Length": str(len(body)), "Connection": "close"}
    half = len(body) // 2
    with closing(web.connect(target, grace + web.SECONDS)) as connection, ThreadPoolExecutor(1) as pool:
        connection.sendall(web.head(target, "POST", route, headers) + body[:half])
        session.pause(HALF_SECONDS)
        begun = time.monotonic()
        stopped = pool.submit(session.engine.buildx.stop, target.facts.id, seconds=grace)
        session.pause(HALF_SECONDS)
        try:
            connection.sendall(body[half:])
            status, headers, text = web.answer(connection, "POST")
        except (OSError, http.client.HTTPException) as error:
            status, headers, text = 0, {}, f"{type(error).__name__}: {error}"
        answered = time.monotonic() - begun
        stopped.result()
        seconds = time.monotonic() - begun
    ended = session.engine.daemon.container(target.facts.id)
    return Stop(
        answer=Exchange(
            request=f"POST {route}, half of it before SIGTERM",
            status=status,
            answer=web.blotted(text, target),
            seconds=answered,
            headers=headers,
        ),
        exit_code=ended.exit_code if ended else -1,
        seconds=seconds,
        grace=grace,
    )
