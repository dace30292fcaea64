"""Release -> a Compose file for one host: the same container as that of `invoke run --prod`, kept by Compose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dockyard.deploy.emit import emit_all
from dockyard.plan import KEY_NAME

if TYPE_CHECKING:
    from dockyard.deploy.release import Release

COMPOSE = "compose.yaml"


def files(release: Release) -> dict[str, str]:
    """Return the one file, by its path in the folder of deployments."""
    return {COMPOSE: emit_all([(_comment(release), document(release))])}


def _comment(release: Release) -> str:
    """Return what an operator must have done before."""
    path, group = release.secret_file, release.container.group
    return (
        f"The key is yours to put on the host, readable for group {group}, which is the container's:\n"
        f"  install -D -m 0440 -g {group} FILE {path}"
    )


def document(release: Release) -> dict[str, Any]:
    """Return the Compose file; the health check is the image's own."""
    secret = KEY_NAME
    return {
        "name": release.name,
        "services": {release.name: _service(release, secret)},
        "volumes": {"logs": {}},
        "secrets": {secret: {"file": _literal(release.secret_file)}},
    }


def _service(release: Release, secret: str) -> dict[str, Any]:
    """Return the service; whatever confines it is taken from the container's own options."""
    container, options = release.container, release.container.options()
    return {
        "image": release.image,
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
        "ports": [_port(release)],
        "volumes": [{"type": "volume", "source": "logs", "target": release.logs}],
        "secrets": [{"source": secret, "target": secret}],
        "logging": {
            "driver": options["log_driver"],
            "options": dict(each.split("=", 1) for each in options["log_options"]),
        },
    }


def _port(release: Release) -> dict[str, Any]:
    container = release.container
    published = {"published": str(container.port)} if container.port else {}
    return {"target": container.container_port, **published, "host_ip": container.address, "protocol": "tcp"}


def _literal(text: str) -> str:
    """Return a text in which Compose replaces nothing."""
    return text.replace("$", "$$")
