from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dockyard.engines.facts import read_image
from dockyard.observe.drift import Drift, differences
from dockyard.observe.running import read_running
from dockyard.plan import RunPlan
from support import SECRET, recorded

IMAGE = read_image(json.loads(recorded("engine/image-pricing.json")))
# What the settings asked for when container-pricing.json was recorded, and the engine started it.
PLAN = RunPlan(
    image="house-pricing-api:prod",
    name="pricing",
    address="127.0.0.1",
    port=0,
    container_port=8000,
    network="pricing",
    env={
        "API_ENV": "production",
        "API_KEY_FILE": "/run/secrets/api_key",
        "PORT": "8000",
        "LOG_LEVEL": "debug",
        "REGION": "eu",
    },
    binds={Path("/srv/pricing/logs"): "/app/logs:rw"},
    key_volume="pricing-key-of-another-start",
    labels={},
    user="1000:1000",
    memory="256m",
    cpus=1.0,
    pids=128,
    restart="on-failure:5",
    log_options=("max-size=10m", "max-file=3"),
    wait=60,
    stop_timeout=10,
)


def inspected() -> dict:
    """A real container's inspect answer, to be changed."""
    return json.loads(recorded("engine/container-pricing.json"))


def mounted(told: dict, target: str) -> dict:
    """The mount at a target; the engine lists them in any order."""
    return next(each for each in told["Mounts"] if each["Destination"] == target)


def seen(plan=PLAN, told=None, image=IMAGE, came_with=IMAGE) -> list[tuple[str, str, str]]:
    """The differences as what, running and configured."""
    found = differences(plan, read_running(told or inspected(), came_with), image)
    return [(each.what, each.running, each.configured) for each in found]


def test_none():
    """A container that was just started by its plan differs in nothing: neither key volume nor free port count."""
    assert seen() == []


@pytest.mark.parametrize(
    ("changed", "drift"),
    [
        ({"memory": "1g"}, ("memory", "256m", "1g")),
        ({"cpus": 0.5}, ("cpus", "1", "0.5")),
        ({"pids": 64}, ("pids", "128", "64")),
        ({"user": "2000:2000"}, ("user", "1000:1000", "2000:2000")),
        ({"restart": "no"}, ("restart", "on-failure:5", "no")),
        ({"stop_timeout": 30}, ("stop timeout", "10 s", "30 s")),
        ({"network": "other"}, ("network", "pricing", "other")),
        ({"port": 8000}, ("port", "127.0.0.1:0 to 8000/tcp", "127.0.0.1:8000 to 8000/tcp")),
        ({"address": "0.0.0.0"}, ("port", "127.0.0.1:0 to 8000/tcp", "0.0.0.0:0 to 8000/tcp")),
        ({"address": "::1"}, ("port", "127.0.0.1:0 to 8000/tcp", "[::1]:0 to 8000/tcp")),
        ({"container_port": 9000}, ("port", "127.0.0.1:0 to 8000/tcp", "127.0.0.1:0 to 9000/tcp")),
        ({"command": ("serve", "--fast")}, ("command", "python -m house_pricing", "serve --fast")),
        ({"log_options": ("max-size=1m", "max-file=3")}, ("log option max-size", "10m", "1m")),
        (
            {"binds": {Path("/srv/other"): "/app/logs:rw"}},
            ("mount /app/logs", "/srv/pricing/logs, rw", "/srv/other, rw"),
        ),
        (
            {"binds": {**PLAN.binds, Path("/srv/src"): "/app/src:ro"}},
            ("mount /app/src", "none", "/srv/src, ro"),
        ),
    ],
    ids=str,
)
def test_changed_setting(changed, drift):
    """Each setting that was changed after the start is seen, with both values, and it alone."""
    assert seen(replace(PLAN, **changed)) == [drift]


@pytest.mark.parametrize(
    ("at", "value", "drift"),
    [
        ("HostConfig.Memory HostConfig.MemorySwap", 2**29, ("memory", "512m", "256m")),
        ("HostConfig.MemorySwap", 2**29, ("swap", "256m", "none")),
        ("HostConfig.NanoCpus", 2 * 10**9, ("cpus", "2", "1")),
        ("HostConfig.PidsLimit", None, ("pids", "0", "128")),
        ("HostConfig.ReadonlyRootfs", False, ("read-only", "no", "yes")),
        ("HostConfig.Privileged", True, ("privileged", "yes", "no")),
        ("HostConfig.CapDrop", None, ("dropped capabilities", "none", "ALL")),
        ("HostConfig.CapAdd", ["NET_ADMIN"], ("added capabilities", "NET_ADMIN", "none")),
        ("HostConfig.SecurityOpt", [], ("security options", "none", "no-new-privileges")),
        ("HostConfig.Tmpfs", {}, ("tmpfs", "none", "/tmp (mode)")),
        ("HostConfig.LogConfig.Type", "local", ("log driver", "local", "json-file")),
        ("NetworkSettings.Networks", {"pricing": {}, "bridge": {}}, ("network", "bridge, pricing", "pricing")),
    ],
    ids=str,
)
def test_changed_container(at, value, drift):
    """What was changed on the container itself, as `docker update` does, is seen."""
    told = inspected()
    for path in at.split():
        *above, last = path.split(".")
        place = told
        for part in above:
            place = place[part]
        place[last] = value
    ((what, running, configured),) = seen(told=told)

    assert (what, running) == drift[:2]
    assert configured == drift[2] or what == "tmpfs"


@pytest.mark.parametrize(
    ("changed", "drift"),
    [
        ({"LOG_LEVEL": "info"}, ("env LOG_LEVEL", "debug", "info")),
        ({"NEW": "1"}, ("env NEW", "none", "1")),
        ({"NEW": ""}, ("env NEW", "none", "empty")),
        ({"DB_PASSWORD": SECRET}, ("env DB_PASSWORD", "none", "[REDACTED]")),
        ({"DB_URL": f"postgres://u:{SECRET}@db/x"}, ("env DB_URL", "none", "postgres://[REDACTED]@db/x")),
        ({"API_KEY_FILE": "/other"}, ("env API_KEY_FILE", "/run/secrets/api_key", "/other")),
    ],
    ids=str,
)
def test_changed_variable(changed, drift):
    """A variable is named with both values, unless it sounds like a secret."""
    assert seen(replace(PLAN, env={**PLAN.env, **changed})) == [drift]


def test_removed_variable():
    """A variable that is set no more is seen; one that came with the image falls back to the image's value."""
    env = {name: value for name, value in PLAN.env.items() if name not in ("REGION", "LOG_LEVEL")}

    assert seen(replace(PLAN, env=env)) == [
        ("env LOG_LEVEL", "debug", "info"),
        ("env REGION", "eu", "none"),
    ]


def test_moved_tag():
    """A tag that was built anew is seen by digest alone: the new image's variables are no setting."""
    newer = replace(IMAGE, id=f"sha256:{'1' * 64}", env=("LOG_LEVEL=error", "NEWER=1"))

    assert seen(image=newer) == [("image", IMAGE.id, f"{newer.id} (house-pricing-api:prod)")]


def test_missing_tag():
    """A tag that is no more is said to be missing."""
    assert seen(image=None) == [("image", IMAGE.id, "house-pricing-api:prod, which the engine does not have")]


def test_image_gone():
    """Where the image that runs is gone, variables that may be its own are not blamed; those of the plan still are."""
    env = {**PLAN.env, "REGION": "us"}
    newer = replace(IMAGE, id=f"sha256:{'1' * 64}")
    found = seen(replace(PLAN, env=env), came_with=None, image=newer)

    assert [what for what, *_ in found] == ["image", "env REGION"]


def test_engines_own():
    """What an engine or its command line adds by itself is no difference."""
    told = inspected()
    told["Config"]["Env"] += ["http_proxy=http://proxy:3128", "NO_PROXY=localhost"]
    told["HostConfig"]["LogConfig"]["Config"]["compress"] = "true"
    told["HostConfig"]["MemorySwap"] = -1
    told["HostConfig"]["SecurityOpt"] = ["no-new-privileges:true"]
    told["HostConfig"]["PortBindings"]["8000/tcp"][0]["HostPort"] = "49153"
    told["Mounts"].append(
        {"Type": "volume", "Name": "a" * 64, "Source": "/x", "Destination": "/data", "Mode": "", "RW": True}
    )
    mounted(told, "/app/logs")["Source"] = "/host_mnt/srv/pricing/logs"

    assert seen(told=told) == []


def test_mounts_of_others():
    """A mount that no setting asks for is seen, and so is a key that is no volume or could be written."""
    told = inspected()
    mounted(told, "/run/secrets")["RW"] = True
    told["Mounts"].append({"Type": "bind", "Source": "/etc", "Destination": "/host", "Mode": "", "RW": False})

    assert [what for what, *_ in seen(told=told)] == ["mount /run/secrets", "mount /host"]


def test_value():
    """A difference is a value that programs can compare."""
    (found,) = differences(replace(PLAN, pids=1), read_running(inspected(), IMAGE), IMAGE)

    assert found == Drift(what="pids", running="128", configured="1")
