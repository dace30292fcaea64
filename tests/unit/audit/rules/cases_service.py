"""Evidence for the rules of health, logs and the API: good, and bad in one respect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.audit.observed import Burst, Ran, Slow

from . import live
from .live import exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[[], dict[str, object]]


def log_01(*more: str, **changed: object) -> dict[str, object]:
    return {"log_lines": live.log_lines(*more, **changed), "settings": live.settings()}


def log_03(**changed: object) -> dict[str, object]:
    return {"inspect": live.inspect(), "sources": live.sources()} | changed


def driver(kind: str, **options: str) -> dict[str, object]:
    return log_03(inspect=live.inspect(LogConfig={"Type": kind, "Config": options}))


def api_01(**changed: object) -> dict[str, object]:
    return {"routes": live.routes(), "settings": live.settings()} | changed


def api_02(source: str = "", **changed: object) -> dict[str, object]:
    return {"keys": live.keys(**changed), "sources": live.sources(source) if source else live.sources()}


def api_03(**changed: object) -> dict[str, object]:
    return {"surface": live.surface(**changed)}


def api_04(**changed: object) -> dict[str, object]:
    return {"limits": live.limits(**changed)}


PASSING: dict[str, Make] = {
    "HLT-01": lambda: {"hang": live.hang()},
    "HLT-02": lambda: {"readiness": live.readiness()},
    "LOG-01": log_01,
    "LOG-02": lambda: {"log_failures": live.log_failure()},
    "LOG-03": log_03,
    "API-01": api_01,
    "API-02": api_02,
    "API-03": api_03,
    "API-04": api_04,
}
FAILING: dict[str, list[tuple[str, Make]]] = {
    "HLT-01": [
        ("not unhealthy within 50 s", lambda: {"hang": live.hang(unhealthy_after=None, healthy_after=None)}),
        ("unhealthy after 51.0 s", lambda: {"hang": live.hang(unhealthy_after=51.0)}),
        ("not healthy again", lambda: {"hang": live.hang(healthy_after=None)}),
    ],
    "HLT-02": [
        ("GET /ready: 200", lambda: {"readiness": live.readiness(ready=exchange("GET /ready", 200))}),
        ("GET /health: 503", lambda: {"readiness": live.readiness(live=exchange("GET /health", 503))}),
        ("cut off: 503", lambda: {"readiness": live.readiness(registry=exchange("GET /health, cut off", 503))}),
        ("after 4.00 s", lambda: {"readiness": live.readiness(registry=exchange("GET /health", 200, seconds=4.0))}),
    ],
    "LOG-01": [
        ("is no JSON: 'Traceback", lambda: log_01("Traceback (most recent call last):")),
        ("is no JSON object", lambda: log_01("[1]")),
        ("lacks event", lambda: log_01('{"ts": 1, "level": "info"}')),
        ("raw control character", lambda: log_01(f"{live.LINE[:-1]} \x1b[2J}}")),
        ("raw control character", lambda: log_01(f"{live.LINE}\r")),
        ("raw control character", lambda: log_01(f"{live.LINE[:-1]} \x9b2J}}")),
        ("is no JSON", lambda: log_01("[" * 100_000)),
        ("nothing was logged", lambda: log_01(lines=())),
        ("a request wrote a line of its own", lambda: log_01(forged=(live.LINE,))),
        ("3 lines, where a plain request leaves 1", lambda: log_01(per_request=(3,))),
        ("a prediction leaves no line", lambda: log_01(usual=0)),
    ],
    "LOG-02": [
        ("full: POST /predict: 500", lambda: {"log_failures": live.log_failure(answer=exchange("POST /predict", 500))}),
        ("nothing on standard output", lambda: {"log_failures": live.log_failure(said=())}),
        ("said 10 times for 10 requests", lambda: {"log_failures": live.log_failure(said=("lost /app/logs",) * 10)}),
    ],
    "LOG-03": [
        ("max-size=unset", lambda: driver("json-file", **{"max-file": "3"})),
        ("max-file=unset", lambda: driver("json-file", **{"max-size": "10m"})),
        ("max-size=-1", lambda: driver("json-file", **{"max-file": "3", "max-size": "-1"})),
        ("log driver is none", lambda: driver("none")),
        ("FileHandler writes", lambda: log_03(sources=live.sources("import logging\nlogging.FileHandler('a')\n"))),
        ("without maxBytes", lambda: log_03(sources=live.sources("RotatingFileHandler('a', backupCount=3)\n"))),
        ("without maxBytes", lambda: log_03(sources=live.sources("RotatingFileHandler('a', maxBytes=0)\n"))),
        ("without backupCount", lambda: log_03(sources=live.sources("TimedRotatingFileHandler('a')\n"))),
        ("a file is appended to", lambda: log_03(sources=live.sources("open('a', 'ab')\n"))),
        ("a file is appended to", lambda: log_03(sources=live.sources("path.open(mode='a')\n"))),
    ],
    "API-01": [
        ("no key: 200", lambda: api_01(routes=live.routes(live.guarded(no_key=200)))),
        ("wrong key: 200", lambda: api_01(routes=live.routes(live.guarded(wrong_key=200)))),
        ("no key: 422", lambda: api_01(routes=live.routes(live.guarded(no_key=422)))),
        ("`Version`", lambda: api_01(routes=live.routes(health='{"state": {"Version": "1.2"}}'))),
        ("`/app/config`", lambda: api_01(routes=live.routes(health='{"model": "default /app/config"}'))),
        ("`http://mlflow`", lambda: api_01(routes=live.routes(health='{"registry": "http://mlflow:5000"}'))),
        ("`uvicorn/0.34`", lambda: api_01(routes=live.routes(health="uvicorn/0.34"))),
    ],
    "API-02": [
        ("start without a key: it serves", lambda: api_02(none=Ran(command="start without a key", code=0, output=""))),
        ("no word of a key", lambda: api_02(none=Ran(command="start without a key", code=1, output="Traceback"))),
        ("short one: it serves", lambda: api_02(refused=(Ran(command="a short one", code=0, output=""),))),
        ("key in the query: 200", lambda: api_02(query=exchange("POST /predict, key in the query", 200))),
        ("second of two keys: 401", lambda: api_02(rotation=(exchange("the second of two keys", 401),))),
        ("key from a file: 401", lambda: api_02(file=exchange("key from a file", 401))),
        ("compared by given == self.api_key", lambda: api_02("compare_digest(a, b)\nif given == self.api_key: pass\n")),
        ("compared by token not in tokens", lambda: api_02("compare_digest(a, b)\nif token not in tokens: pass\n")),
        ("compare_digest is used 0 times", lambda: api_02("pass\n")),
    ],
    "API-03": [
        ("GET /docs: 200", lambda: api_03(docs=(exchange("GET /docs", 200),))),
        ("no JSON: 500", lambda: api_03(malformed=(exchange("no JSON", 500),))),
        ("no JSON: 200", lambda: api_03(malformed=(exchange("no JSON", 200),))),
        ("Traceback", lambda: api_03(malformed=(exchange("no JSON", 400, "Traceback (most recent call last)"),))),
        ("app.py", lambda: api_03(malformed=(exchange("no JSON", 400, "in app.py"),))),
        ("ValueError", lambda: api_03(malformed=(exchange("no JSON", 422, "ValueError: no"),))),
        ("TRACE /predict: 200", lambda: api_03(methods=(exchange("TRACE /predict", 200),))),
        ("PUT /predict: 500", lambda: api_03(methods=(exchange("PUT /predict", 500),))),
        ("header server", lambda: api_03(docs=(exchange("GET /docs", 404, headers={"server": "a/1.2"}),))),
    ],
    "API-04": [
        ("32 MiB: 422", lambda: api_04(oversized=(exchange("32 MiB", 422),))),
        (
            "half a head, then silence",
            lambda: api_04(slow=(Slow(request="half a head", closed_after=None, allowed=9.0),)),
        ),
        ("nobody is refused", lambda: api_04(limited=None)),
        ("RATE_LIMIT=5: 40 times 200", lambda: api_04(limited=Burst(profile="RATE_LIMIT=5", statuses={200: 40}))),
        ("RATE_LIMIT=5: 40 times 429", lambda: api_04(limited=Burst(profile="RATE_LIMIT=5", statuses={429: 40}))),
    ],
}
