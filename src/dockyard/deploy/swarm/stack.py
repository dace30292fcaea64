"""Workload -> a stack file: the hardened container of `invoke run --prod`, as far as a swarm can confine it."""

from __future__ import annotations

import hashlib
import math
import re
from typing import TYPE_CHECKING, Any

from dockyard.deploy.emit import emit, emit_all
from dockyard.plan import KEY_NAME, PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.deploy.workload import Workload

STACK = "stack.yaml"
# Which of the key's versions is meant: the swarm knows, the settings do not.
KEY_VERSION = "KEY_VERSION"
# Of the service: tells one rendered stack from another.
MARK = "dev.dockyard.stack"
# `r--r-----`; YAML's readers disagree on how to write it in octal.
READ_ONLY = 0o440
# Seconds before a task that ended is started again, and in which the attempts are counted.
DELAY, WINDOW = 5, 120


def files(workload: Workload) -> dict[str, str]:
    """Return the one file, by its path in the folder of deployments."""
    return {STACK: emit_all([(_comment(workload), marked(workload))])}


def service_name(workload: Workload) -> str:
    """Return the service's name in the swarm, which has the stack's before it."""
    return f"{workload.name}_{workload.name}"


def mark(workload: Workload) -> str:
    """Return what tells this stack from one of another image or other settings."""
    return hashlib.sha256(emit(document(workload)).encode()).hexdigest()[:16]


def monitor(workload: Workload) -> int:
    """Return for how many seconds a new task is watched once it is healthy: past its start period."""
    return max(1, workload.wanted.settle, math.ceil(workload.health.start_period))


def remarks(workload: Workload) -> Iterator[str]:
    """Yield what is allowed and seldom meant."""
    wanted = workload.wanted.swarm
    if not (wanted.publish or wanted.networks):
        yield "Nobody outside the stack reaches the service: `publish` or `networks` of `deploy.swarm` says who may."
    if wanted.publish and wanted.publish_mode == "host":
        yield (
            f"Port {wanted.publish} of a node is one task's alone, so an update needs a node more than there are tasks."
        )
    if workload.wanted.replicas == 1:
        yield "One task alone: if a new one dies after it was healthy, nobody answers until Swarm has taken it back."
    if not (workload.health.declared or wanted.health):
        yield "The Dockerfile has no HEALTHCHECK: Swarm takes a task for well as soon as it has started."


def _comment(workload: Workload) -> str:
    """Return what a person must know who brings it up by hand."""
    number = f"{workload.secret}-N"
    return (
        f"The key is the newest secret {number} of the swarm; without dockyard:\n"
        f"  docker secret create {workload.secret}-1 FILE\n"
        f"  {KEY_VERSION}=1 docker stack deploy --with-registry-auth --compose-file {STACK} {workload.name}"
    )


def marked(workload: Workload) -> dict[str, Any]:
    """Return the stack with the mark of all else that is in it."""
    made = document(workload)
    made["services"][workload.name]["deploy"]["labels"][MARK] = mark(workload)
    return made


def document(workload: Workload) -> dict[str, Any]:
    """Return the stack; a volume of logs for each of the service's slots, since two writers would spoil one file."""
    secret, networks = KEY_NAME, workload.wanted.swarm.networks
    # Docker takes a dash in the message for the beginning of a default.
    return {
        "services": {workload.name: _service(workload)},
        "networks": {"default": {}, **{name: {"external": True} for name in networks}},
        "volumes": {"logs": {"name": f"{workload.name}-logs-{{{{.Task.Slot}}}}"}},
        "secrets": {
            secret: {
                "name": f"{workload.secret}-${{{KEY_VERSION}:?is the number of the secret}}",
                "external": True,
            }
        },
    }


def _service(workload: Workload) -> dict[str, Any]:
    """Return the service; whatever confines it is taken from the container's own options, where Swarm has them."""
    container, options = workload.container, workload.container.options()
    return {
        "image": workload.image,
        "user": options["user"],
        "read_only": options["read_only"],
        "cap_drop": options["cap_drop"],
        "stop_grace_period": f"{options['stop_timeout']}s",
        **_health(workload),
        "environment": {name: _untemplated(value) for name, value in sorted(container.env.items())},
        **_ports(workload),
        "networks": ["default", *workload.wanted.swarm.networks],
        "volumes": [_memory(options["tmpfs"][0]), {"type": "volume", "source": "logs", "target": workload.logs}],
        "secrets": [
            {
                "source": KEY_NAME,
                "target": KEY_NAME,
                "uid": "0",
                "gid": str(container.group),
                "mode": READ_ONLY,
            }
        ],
        "logging": {
            "driver": options["log_driver"],
            "options": dict(each.split("=", 1) for each in options["log_options"]),
        },
        "deploy": _deploy(workload),
    }


def _health(workload: Workload) -> dict[str, Any]:
    """Return the health check of the settings; where they have none, the image's own counts."""
    health, command = workload.health, workload.wanted.swarm.health
    if not command:
        return {}
    times = {
        "interval": health.interval,
        "timeout": health.timeout,
        "start_period": health.start_period,
        "start_interval": health.start_interval,
    }
    told = {name: f"{math.ceil(seconds * 1000)}ms" for name, seconds in times.items()}
    return {"healthcheck": {"test": ["CMD", *map(_literal, command)], **told, "retries": health.retries}}


def _ports(workload: Workload) -> dict[str, Any]:
    swarm = workload.wanted.swarm
    if not swarm.publish:
        return {}
    port = {"target": workload.container.container_port, "published": swarm.publish, "protocol": "tcp"}
    return {"ports": [{**port, "mode": swarm.publish_mode}]}


def _memory(mount: str) -> dict[str, Any]:
    """Return a mount in memory; noexec, nosuid and nodev are what Swarm mounts it with anyway."""
    target, _, flags = mount.partition(":")
    size = re.search(r"size=(\d+)m", flags)
    limit = {"tmpfs": {"size": int(size[1]) * 2**20}} if size else {}
    return {"type": "tmpfs", "target": target, **limit}


def _deploy(workload: Workload) -> dict[str, Any]:
    """Return how many tasks there are, where, what they get, and how new ones take the place of old ones."""
    container, wanted = workload.container, workload.wanted
    period = f"{monitor(workload)}s"
    step = {"parallelism": 1, "order": "start-first", "monitor": period, "max_failure_ratio": 0}
    placed = {"placement": {"constraints": list(wanted.swarm.constraints)}} if wanted.swarm.constraints else {}
    return {
        "labels": {PROJECT: container.labels[PROJECT]},
        "replicas": wanted.replicas,
        "endpoint_mode": wanted.swarm.endpoint_mode,
        **placed,
        "resources": {
            "limits": {"cpus": str(container.cpus), "memory": container.memory, "pids": container.pids},
            "reservations": {
                "cpus": str(wanted.cpus_request or container.cpus),
                "memory": wanted.memory_request or container.memory,
            },
        },
        "restart_policy": _restart(container.restart),
        # The next task is touched only when this one has been watched: else all could be new before the first one dies.
        "update_config": {"failure_action": "rollback", **step, "delay": period},
        "rollback_config": {"failure_action": "pause", **step, "delay": "0s"},
    }


def _restart(policy: str) -> dict[str, Any]:
    """Return the restart policy: an end without an error is an end too, for instance when an engine is stopped."""
    if policy == "no":
        return {"condition": "none"}
    _, _, most = policy.partition(":")
    attempts = {"max_attempts": int(most)} if most else {}
    return {"condition": "any", "delay": f"{DELAY}s", **attempts, "window": f"{WINDOW}s"}


def _literal(text: str) -> str:
    """Return a text in which Docker puts no variable of the shell."""
    return text.replace("$", "$$")


def _untemplated(text: str) -> str:
    """Return a variable's text in which Swarm fills in no template either."""
    return _literal(text).replace("{{", '{{"{{"}}')
