"""Workload -> a Compose file for one host: the same container as that of `invoke run --prod`, kept by Compose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dockyard.deploy.emit import emit_all
from dockyard.plan import KEY_NAME

if TYPE_CHECKING:
    from dockyard.deploy.workload import Workload

COMPOSE = "compose.yaml"


def files(workload: Workload) -> dict[str, str]:
    """Return the one file, by its path in the folder of deployments."""
    return {COMPOSE: emit_all([(_comment(workload), document(workload))])}


def _comment(workload: Workload) -> str:
    """Return what an operator must have done before."""
    path, group = workload.secret_file, workload.container.group
    return (
        f"The key is yours to put on the host, readable for group {group}, which is the container's:\n"
        f"  install -D -m 0440 -g {group} FILE {path}"
    )


def document(workload: Workload) -> dict[str, Any]:
    """Return the Compose file; the health check is the image's own."""
    secret = KEY_NAME
    return {
        "name": workload.name,
        "services": {workload.name: _service(workload, secret)},
        "volumes": {"logs": {}},
        "secrets": {secret: {"file": _literal(workload.secret_file)}},
    }


def _service(workload: Workload, secret: str) -> dict[str, Any]:
    """Return the service; whatever confines it is taken from the container's own options."""
    container, options = workload.container, workload.container.options()
    return {
        "image": workload.image,
        "user": options["user"],
        "read_only": options["read_only"],
        "tmpfs": options["tmpfs"],
        "cap_drop": options["cap_drop"],
        "security_opt": [f"{each}:true" if ":" not in each else each for each in options["security_options"]],
        "mem_limit": options["memory"],
        "memswap_limit": options["memory_swap"],
        "cpus": options["cpus"],
        "pids_limit": options["pids_limit"],
        "restart": options["restart"],
        "stop_grace_period": f"{options['stop_timeout']}s",
        "environment": {name: _literal(value) for name, value in sorted(container.env.items())},
        "ports": [_port(workload)],
        "volumes": [{"type": "volume", "source": "logs", "target": workload.logs}],
        "secrets": [{"source": secret, "target": secret}],
        "logging": {
            "driver": options["log_driver"],
            "options": dict(each.split("=", 1) for each in options["log_options"]),
        },
    }


def _port(workload: Workload) -> dict[str, Any]:
    container = workload.container
    published = {"published": str(container.port)} if container.port else {}
    return {"target": container.container_port, **published, "host_ip": container.address, "protocol": "tcp"}


def _literal(text: str) -> str:
    """Return a text in which Compose replaces nothing."""
    return text.replace("$", "$$")
