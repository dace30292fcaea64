"""Evidence of a good live trial, for the rules on containers; each function makes it anew, with changes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from dockyard.audit.observed import (
    Burst,
    Change,
    Exchange,
    Leak,
    Limits,
    Load,
    LogLines,
    Process,
    Ran,
    Route,
    Routes,
    Slow,
    Stop,
    Surface,
    Write,
    Zombies,
)
from dockyard.audit.read import Sources
from dockyard.audit.trials import Hang, Keys, LogFailure, Readiness
from dockyard.engines.sockets import Socket
from dockyard.settings import Settings
from dockyard.settings.audits import Audit
from dockyard.settings.schema import Run
from dockyard.smoke import Result

LINE = json.dumps({"ts": "2026-11-23T04:52:43Z", "level": "info", "event": "request"})


def settings(**run: Any) -> Settings:
    """Return the settings of a project, with changes of its `run` table."""
    bounded = {"restart": "on-failure:5", **run}
    return Settings(root=Path("/srv/project"), image="tiny", version="1", run=Run(**bounded), audit=Audit())


def inspect(**host: Any) -> dict[str, Any]:
    """Return `docker inspect` of a confined container, with changes of its HostConfig."""
    return {
        "HostConfig": {
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "CapAdd": None,
            "SecurityOpt": ["no-new-privileges"],
            "Privileged": False,
            "PidMode": "",
            "IpcMode": "private",
            "UTSMode": "",
            "UsernsMode": "",
            "NetworkMode": "dockyard-tiny",
            "MaskedPaths": ["/proc/kcore"],
            "Devices": [],
            "DeviceCgroupRules": None,
            "DeviceRequests": None,
            "Memory": 512 << 20,
            "MemorySwap": 512 << 20,
            "OomKillDisable": False,
            "PidsLimit": 128,
            "NanoCpus": 1_000_000_000,
            "CpuQuota": 0,
            "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
            "Tmpfs": {"/tmp": "rw,size=64m"},
            "PublishAllPorts": False,
            "PortBindings": {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
            **host,
        },
        "Mounts": [
            {"Type": "volume", "Source": "/var/lib/docker/volumes/key/_data", "Destination": "/run/secrets"},
            {"Type": "bind", "Source": "/srv/project/logs", "Destination": "/app/logs", "Propagation": "rprivate"},
        ],
    }


def mounting(**mount: str) -> dict[str, Any]:
    """Return `docker inspect` of a container with one more mount."""
    told = inspect()
    told["Mounts"].append({"Type": "bind", "Destination": "/more", **mount})
    return told


def confinement(**changed: str) -> dict[str, str]:
    """Return what the kernel says of a confined process."""
    none = "0000000000000000"
    told = dict.fromkeys(("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"), none)
    told |= {"NoNewPrivs": "1", "Seccomp": "2", "Max open files": "20000", "AppArmor": "docker-default (enforce)"}
    return told | changed


def smoke(verdict: str = "pass", evidence: str = "200: ok") -> tuple[Result, ...]:
    """Return smoke results of which the last may differ."""
    good = Result(probe="health", verdict="pass", evidence="200: ok")
    return good, replace(good, probe="readiness", verdict=verdict, evidence=evidence)


def written(*more: Change) -> tuple[Change, ...]:
    """Return the changes of a container: the folders that the engine mounts on."""
    return Change(kind="changed", path="/run"), Change(kind="added", path="/run/secrets"), *more


def writes(*more: Write) -> tuple[Write, ...]:
    """Return attempts to write."""
    refused = Write(path="/app", error="Read-only file system")
    return refused, Write(path="/app/logs", error="", allowed=True), *more


def load_of(**changed: Any) -> Load:
    """Return a load that was survived."""
    good = Load(
        requests=900,
        failures=0,
        peak=200 << 20,
        limit=512 << 20,
        oom_killed=False,
        pids=20,
        pids_limit=128,
        health="healthy",
    )
    return replace(good, **changed)


def exchange(request: str, status: int, answer: str = "", **more: Any) -> Exchange:
    """Return a request and its answer."""
    return Exchange(request=request, status=status, answer=answer, **more)


def stop(**changed: Any) -> Stop:
    """Return a graceful end."""
    good = Stop(answer=exchange("POST /predict, half", 200), exit_code=0, seconds=0.7, grace=10.0)
    return replace(good, **changed)


def zombies(*more: Process) -> Zombies:
    """Return the processes after many health checks."""
    return Zombies(checks=20, processes=(Process(pid=1, uid=1000, state="S", command="python -m service"), *more))


def sockets(*more: Socket) -> tuple[Socket, ...]:
    """Return what listens: the service, and the engine's name server."""
    return Socket(address="0.0.0.0", port=8000), Socket(address="127.0.0.11", port=33333), *more


def hang(**changed: Any) -> Hang:
    """Return a hang that was noticed, and its recovery."""
    return replace(Hang(allowed=50.0, unhealthy_after=38.0, healthy_after=7.0, output="no answer"), **changed)


def readiness(**changed: Any) -> Readiness:
    """Return health routes that tell the truth."""
    live = exchange("GET /health, no model", 200, '{"status":"alive"}')
    good = Readiness(ready=exchange("GET /ready, no model", 503), live=live, registry=live)
    return replace(good, **changed)


def log_lines(*more: str, **changed: Any) -> LogLines:
    """Return lines that hostile requests left."""
    good = LogLines(sent=("CR and LF in the path",), lines=(LINE, *more), forged=(), usual=1, per_request=(1,))
    return replace(good, **changed)


def log_failure(**changed: Any) -> tuple[LogFailure, ...]:
    """Return services on volumes that cannot be written."""
    said = ("the log file cannot be written: /app/logs/a.log",)
    good = LogFailure(kind="read-only", requests=10, answer=exchange("POST /predict", 200), said=said)
    return good, replace(good, kind="full", **changed)


def sources(text: str = "import hmac\nhmac.compare_digest(a, b)\n") -> Sources:
    """Return the sources of a service."""
    return Sources(folder="src/tiny", files={"app.py": text})


def routes(*more: Route, health: str = '{"status":"alive","model_version":"1"}') -> Routes:
    """Return guarded routes."""
    good = Route(
        method="POST",
        path="/predict",
        no_key=exchange("POST /predict, no key", 401),
        wrong_key=exchange("POST /predict, wrong key", 403),
    )
    open_one = Route(method="GET", path="/health", no_key=exchange("GET /health", 200), wrong_key=exchange("-", 200))
    return Routes(
        source="GET /openapi.json", routes=(good, open_one, *more), health=(exchange("GET /health", 200, health),)
    )


def guarded(no_key: int = 401, wrong_key: int = 401) -> Route:
    """Return a route with those answers."""
    return Route(
        method="GET",
        path="/model",
        no_key=exchange("GET /model, no key", no_key),
        wrong_key=exchange("GET /model, wrong key", wrong_key),
    )


def keys(**changed: Any) -> Keys:
    """Return starts that handle keys with care."""
    good = Keys(
        none=Ran(command="start without a key", code=2, output="API_KEY: no key is set"),
        refused=(Ran(command="start with a short key", code=2, output="too short"),),
        query=exchange("POST /predict, key in the query", 401),
        rotation=(exchange("POST /predict, the first of two keys", 200),),
        file=exchange("POST /predict, key from a file", 200),
    )
    return replace(good, **changed)


def surface(**changed: Any) -> Surface:
    """Return what strangers find: nothing."""
    good = Surface(
        docs=(exchange("GET /docs", 404, headers={"server": "nginx"}),),
        malformed=(exchange("POST /predict, no JSON", 422, '{"detail":"no JSON"}'),),
        methods=(exchange("TRACE /predict", 405), exchange("TRACK /predict", 501)),
    )
    return replace(good, **changed)


def limits(**changed: Any) -> Limits:
    """Return limits that hold; the production profile has none of its own for the number of requests."""
    good = Limits(
        oversized=(exchange("POST /predict, 32 MiB", 413),),
        burst=Burst(profile="production", statuses={200: 40}),
        limited=Burst(profile="RATE_LIMIT=5", statuses={200: 5, 429: 35}),
        slow=(Slow(request="half a head", closed_after=5.0, allowed=20.0),),
    )
    return replace(good, **changed)


def leak(**changed: Any) -> Leak:
    """Return a search that found nothing."""
    return replace(Leak(sent=("key in the query",), searched={"its output": 1000}, found=()), **changed)
