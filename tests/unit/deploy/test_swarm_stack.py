from __future__ import annotations

import json

import jsonschema
import pytest
import yaml

from dockyard.audit.read import TextFile
from dockyard.audit.rules.health_stack import StackUpdates
from dockyard.audit.verdict import Kind
from dockyard.deploy.swarm import remarks
from dockyard.deploy.swarm.stack import MARK
from dockyard.deploy.workload import workload_of
from dockyard.plan import production_plan
from support import recorded

from .conftest import IMAGE

HEALTHY = "FROM a\nHEALTHCHECK --interval=7s --timeout=2s --start-period=21s --retries=4 CMD true\n"
# Of a stack, what Docker ignores without a word; a person would take it for said.
IGNORED = {"security_opt", "tmpfs", "mem_limit", "memswap_limit", "cpus", "pids_limit", "restart", "privileged"}

PORT = {"target": 8000, "published": 9001, "protocol": "tcp", "mode": "ingress"}
SECRET = {"source": "api_key", "target": "api_key", "uid": "0", "gid": "1000", "mode": 0o440}
HALF = {"deploy__cpus_request": 0.5, "deploy__memory_request": "9m"}
LARGE = {"run__memory": "1g", "run__cpus": 2, "run__pids": 9}


@pytest.fixture
def stacked(rendered):
    """Render the stack with changed settings, and read it."""
    return lambda **changed: yaml.safe_load(rendered("swarm", **changed)["stack.yaml"])


@pytest.fixture
def service(stacked):
    """The one service of it."""

    def service(**changed):
        (only,) = stacked(**changed)["services"].values()
        return only

    return service


@pytest.fixture
def healthy(project):
    """A project whose Dockerfile has a health check."""
    (project / "Dockerfile").write_text(HEALTHY, "utf-8")


@pytest.mark.parametrize(
    ("changed", "key", "value"),
    [
        ({}, "image", IMAGE),
        ({"run__user": "7:8"}, "user", "7:8"),
        ({"run__stop_timeout": 33}, "stop_grace_period", "33s"),
        ({"run__log_size": "1m"}, "logging", {"driver": "json-file", "options": {"max-size": "1m", "max-file": "3"}}),
        ({}, "ports", None),
        ({"deploy__swarm__publish": 9001}, "ports", [PORT]),
        ({}, "networks", ["default"]),
        ({"deploy__swarm__networks": ["edge"]}, "networks", ["default", "edge"]),
        ({}, "secrets", [SECRET]),
        ({"run__user": "7:8"}, "secrets", [{**SECRET, "gid": "8"}]),
        ({}, "healthcheck", None),
    ],
)  # fmt: skip
def test_settings(service, changed, key, value):
    """Each setting changes what it should; the health check is left to the image."""
    assert service(**changed).get(key) == value


@pytest.mark.parametrize(
    ("changed", "path", "value"),
    [
        ({"deploy__replicas": 3}, "replicas", 3),
        ({}, "endpoint_mode", "vip"),
        ({"deploy__swarm__endpoint_mode": "dnsrr"}, "endpoint_mode", "dnsrr"),
        ({}, "placement", None),
        ({"deploy__swarm__constraints": ["node.role==worker"]}, "placement", {"constraints": ["node.role==worker"]}),
        (LARGE, "resources limits", {"cpus": "2.0", "memory": "1g", "pids": 9}),
        (LARGE, "resources reservations", {"cpus": "2.0", "memory": "1g"}),
        (HALF, "resources reservations", {"cpus": "0.5", "memory": "9m"}),
        ({}, "restart_policy", {"condition": "any", "delay": "5s", "max_attempts": 5, "window": "120s"}),
        ({"run__restart": "always"}, "restart_policy", {"condition": "any", "delay": "5s", "window": "120s"}),
        ({"run__restart": "no"}, "restart_policy", {"condition": "none"}),
        ({}, "labels dev.dockyard.project", "tiny-service"),
    ],
)  # fmt: skip
def test_deploy(service, changed, path, value):
    """What only an orchestrator knows is said below `deploy`."""
    at = service(**changed)["deploy"]
    for name in path.split():
        at = at.get(name)
    assert at == value


def test_as_confined_as_run(service, settings_of):
    """What confines the container is what `invoke run --prod` asks of the engine; what a stack ignores is not said."""
    options = production_plan(settings_of(), token="x").options()
    made = service()

    assert (made["read_only"], made["cap_drop"]) == (True, ["ALL"])
    assert (made["read_only"], made["cap_drop"]) == (options["read_only"], options["cap_drop"])
    assert options["tmpfs"] == ["/tmp:rw,noexec,nosuid,nodev,size=64m"]
    assert made["volumes"][0] == {"type": "tmpfs", "target": "/tmp", "tmpfs": {"size": 64 * 2**20}}
    assert set(made) & IGNORED == set()


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize(("settle", "seconds"), [(5, "21s"), (40, "40s")])
def test_updates(service, settle, seconds):
    """A new task is watched past its start period, before the next one is touched; a failure brings all back."""
    made = service(deploy__settle=settle)["deploy"]

    step = {"parallelism": 1, "order": "start-first", "monitor": seconds, "max_failure_ratio": 0}
    assert made["update_config"] == {"failure_action": "rollback", **step, "delay": seconds}
    assert made["rollback_config"] == {"failure_action": "pause", **step, "delay": "0s"}


@pytest.mark.usefixtures("healthy")
def test_health_command(service):
    """A health check of the settings has the times of the Dockerfile's."""
    assert service(deploy__swarm__health=["check", "$x"])["healthcheck"] == {
        "test": ["CMD", "check", "$$x"],
        "interval": "7000ms",
        "timeout": "2000ms",
        "start_period": "21000ms",
        "start_interval": "5000ms",
        "retries": 4,
    }


def test_key(stacked):
    """The key is a secret of the swarm, by the number that a deployment gives; the message has no dash for Docker."""
    (secret,) = stacked(deploy__secret="a-key")["secrets"].values()

    assert secret["external"] is True
    prefix, _, message = secret["name"].partition("${KEY_VERSION:?")
    assert prefix == "a-key-"
    assert message.endswith("}")
    assert "-" not in message


def test_logs(stacked, service):
    """Each slot has a volume of its own: two writers would spoil one file."""
    assert stacked()["volumes"] == {"logs": {"name": "tiny-service-logs-{{.Task.Slot}}"}}
    assert service(run__logs_target="/l")["volumes"][1] == {"type": "volume", "source": "logs", "target": "/l"}


def test_networks(stacked):
    """Networks of others are there already; the stack's own is made."""
    assert stacked(deploy__swarm__networks=["edge"])["networks"] == {"default": {}, "edge": {"external": True}}


@pytest.mark.parametrize(
    ("value", "written"),
    [("$HOME", "$$HOME"), ("a$$b", "a$$$$b"), ("{{.Task.Slot}}", '{{"{{"}}.Task.Slot}}')],
)
def test_nothing_is_replaced(service, value, written):
    """Neither Docker nor Swarm puts anything in the place of what a variable holds."""
    assert service(run__env={"A": value})["environment"]["A"] == written


def test_mark(service):
    """Stacks of the same image and settings have the same mark; any difference makes another."""
    marks = [
        service(**changed)["deploy"]["labels"][MARK]
        for changed in ({}, {}, {"of": IMAGE.replace("a1", "b2")}, {"run__env": {"A": "1"}}, {"deploy__replicas": 3})
    ]
    assert marks[0] == marks[1]
    assert len(set(marks)) == 4


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {
            "run__env": {"ODD": "yes: {no} #1 $x"},
            "run__restart": "no",
            "deploy__swarm__publish": 9001,
            "deploy__swarm__publish_mode": "host",
            "deploy__swarm__endpoint_mode": "dnsrr",
            "deploy__swarm__networks": ["edge"],
            "deploy__swarm__constraints": ["node.labels.zone==a"],
            "deploy__swarm__health": ["true"],
        },
    ],
    ids=["defaults", "everything"],
)
def test_valid(stacked, changed):
    """The stack is valid by the published schema of the Compose specification."""
    jsonschema.validate(stacked(**changed), json.loads(recorded("deploy/compose-spec.schema.json")))


@pytest.mark.usefixtures("healthy")
def test_audited(rendered, settings_of):
    """The stack fulfils the audit's own rule on Swarm updates."""
    stack = TextFile(path="stack.yaml", text=rendered("swarm")["stack.yaml"])
    proofs = list(StackUpdates().updates(stack, settings_of()))
    assert len(proofs) == 3
    assert {each.kind for each in proofs} == {Kind.HOLDS}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, ["Nobody outside", "no HEALTHCHECK"]),
        ({"deploy__swarm__publish": 80, "deploy__swarm__health": ["true"]}, []),
        ({"deploy__swarm__networks": ["edge"]}, ["no HEALTHCHECK"]),
        ({"deploy__swarm__publish": 80, "deploy__swarm__publish_mode": "host"}, ["a node more", "no HEALTHCHECK"]),
        ({"deploy__swarm__publish": 80, "deploy__replicas": 1}, ["One task alone", "no HEALTHCHECK"]),
    ],
)
def test_remarks(settings_of, changed, words):
    """What is allowed and seldom meant is said."""
    said = list(remarks(workload_of(settings_of(**changed), IMAGE)))
    assert len(said) == len(words)
    assert [word for word, line in zip(words, said, strict=True) if word not in line] == []
