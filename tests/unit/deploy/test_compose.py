from __future__ import annotations

import json
import shutil
import subprocess

import jsonschema
import pytest
import yaml

from dockyard.plan import production_plan
from support import recorded

from .conftest import IMAGE

LOOPBACK = {"host_ip": "127.0.0.1", "protocol": "tcp"}


def has_compose() -> bool:
    """Whether docker has Compose here."""
    call = ["docker", "compose", "version"]
    return bool(shutil.which("docker")) and subprocess.run(call, capture_output=True, check=False).returncode == 0


@pytest.fixture
def composed(rendered):
    """Render the Compose file with changed settings, and read it."""
    return lambda **changed: yaml.safe_load(rendered("compose", **changed)["compose.yaml"])


@pytest.fixture
def service(composed):
    """The one service of it."""

    def service(**changed):
        (only,) = composed(**changed)["services"].values()
        return only

    return service


@pytest.mark.parametrize(
    ("changed", "key", "value"),
    [
        ({}, "image", IMAGE),
        ({"run__user": "7:8"}, "user", "7:8"),
        ({"run__memory": "1g"}, "mem_limit", "1g"),
        ({"run__memory": "1g"}, "memswap_limit", "1g"),
        ({"deploy__cpus": 2}, "cpus", 2.0),
        ({"run__pids": 9}, "pids_limit", 9),
        ({"run__restart": "no"}, "restart", "no"),
        ({"run__stop_timeout": 33}, "stop_grace_period", "33s"),
        ({"run__log_size": "1m"}, "logging", {"driver": "json-file", "options": {"max-size": "1m", "max-file": "3"}}),
        ({"run__port": 9001}, "ports", [{"target": 8000, "published": "9001", **LOOPBACK}]),
        ({"run__port": 0}, "ports", [{"target": 8000, **LOOPBACK}]),
        ({"run__logs_target": "/l"}, "volumes", [{"type": "volume", "source": "logs", "target": "/l"}]),
        ({}, "secrets", [{"source": "api_key", "target": "api_key"}]),
        ({}, "security_opt", ["no-new-privileges:true"]),
        ({}, "healthcheck", None),
    ],
)  # fmt: skip
def test_settings(service, changed, key, value):
    """Each setting changes what it should; the health check is left to the image."""
    assert service(**changed).get(key) == value


def test_as_confined_as_run(service, settings_of):
    """What confines the container is what `invoke run --prod` asks of the engine, word for word."""
    options = production_plan(settings_of(), token="x").options()
    made = service()

    for key in ("read_only", "tmpfs", "cap_drop"):
        assert made[key] == options[key]
    assert options["read_only"] is True
    assert options["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("value", ["$HOME", "${X:-1}", "a$$b", "100$"])
def test_nothing_is_replaced(service, value):
    """A dollar sign is one: Compose would put a variable of the shell in its place."""
    assert service(run__env={"A": value})["environment"]["A"].replace("$$", "$") == value
    assert service(run__env={"A": value})["environment"]["A"].count("$") == 2 * value.count("$")


def test_key_is_a_file(composed):
    """The key is a file of the host that the operator makes; no value of it is written."""
    assert composed()["secrets"] == {"api_key": {"file": "/etc/tiny-service/api_key"}}
    assert composed(deploy__secret_file="./k")["secrets"] == {"api_key": {"file": "./k"}}


@pytest.mark.parametrize("changed", [{}, {"run__port": 0, "run__env": {"A": "yes", "B": "a: b"}}])
def test_schema(composed, changed):
    """The file is valid by the Compose Specification's own schema."""
    schema = json.loads(recorded("deploy/compose-spec.schema.json"))
    jsonschema.Draft202012Validator(schema).validate(composed(**changed))
    assert not jsonschema.Draft202012Validator(schema).is_valid(composed() | {"sevices": {}})


def test_compose_itself(rendered, tmp_path):
    """Compose reads the file, and each variable as it was said."""
    if not has_compose():
        pytest.skip("docker has no Compose here")
    said = {"A": "$HOME", "B": "yes", "C": "1e3", "D": "a\nb"}
    (tmp_path / "compose.yaml").write_text(rendered("compose", run__env=said)["compose.yaml"], "utf-8")
    call = ["docker", "compose", "--file", tmp_path / "compose.yaml", "config", "--format=json", "--no-interpolate"]
    done = subprocess.run(call, capture_output=True, check=True)
    read = json.loads(done.stdout)["services"]["tiny-service"]["environment"]
    assert {name: read[name].replace("$$", "$") for name in said} == said
