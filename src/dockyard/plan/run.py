"""What will be asked of the engine for one container."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dockyard.plan.labels import PROJECT, ROLE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dockyard.settings import Settings

SECRETS = "/run/secrets"
KEY_NAME = "api_key"
KEY_FILE = f"{SECRETS}/{KEY_NAME}"


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """One container.

    Attributes:
        port: Host port; 0 takes a free one.
        network: Of this project's containers alone; made if it is missing.
        binds: Host folder to target and mode, for instance {Path("/srv/logs"): "/app/logs:rw"}.
        key_volume: The volume that carries the key; mounted read-only at /run/secrets.
        wait: Seconds to become healthy.
        routes: That answer 200 while it lives, and once it is ready.
        stop_timeout: Seconds between SIGTERM and SIGKILL.
    """

    image: str
    name: str
    address: str
    port: int
    container_port: int
    network: str
    env: Mapping[str, str]
    binds: Mapping[Path, str]
    key_volume: str
    labels: Mapping[str, str]
    user: str
    memory: str
    cpus: float
    pids: int
    restart: str
    log_options: tuple[str, ...]
    wait: float
    stop_timeout: int
    command: tuple[str, ...] = ()
    routes: tuple[str, str] | None = None

    @property
    def group(self) -> int:
        """The GID of the container's user."""
        return int(self.user.split(":")[1])

    def writable_folders(self) -> tuple[Path, ...]:
        """Return the host folders that the container's user must be able to write."""
        return tuple(folder for folder, target in self.binds.items() if target.endswith(":rw"))

    def options(self) -> dict[str, Any]:
        """Return the options of the engine's `create`: confined as far as the service works."""
        mounts: list[tuple[str, ...]] = [(self.key_volume, SECRETS, "ro")]
        mounts += [(str(folder), *target.split(":")) for folder, target in self.binds.items()]
        address = f"[{self.address}]" if ":" in self.address else self.address
        return {
            "name": self.name,
            "networks": [self.network],
            "publish": [(f"{address}:{self.port or ''}", self.container_port)],
            "envs": dict(self.env),
            "volumes": mounts,
            "labels": dict(self.labels),
            "user": self.user,
            "read_only": True,
            "tmpfs": ["/tmp:rw,noexec,nosuid,nodev,size=64m"],  # noqa: S108 - the container's
            "cap_drop": ["ALL"],
            "security_options": ["no-new-privileges"],
            "memory": self.memory,
            "memory_swap": self.memory,
            "cpus": self.cpus,
            "pids_limit": self.pids,
            "restart": self.restart,
            "stop_timeout": self.stop_timeout,
            "log_driver": "json-file",
            "log_options": list(self.log_options),
        }


def production_plan(settings: Settings, *, token: str) -> RunPlan:
    """Return the hardened container.

    Args:
        settings: Of the project.
        token: Tells this start's key volume from that of the container it replaces.
    """
    run = settings.run
    return RunPlan(
        image=settings.reference,
        name=run.name,
        address=run.address,
        port=run.port,
        container_port=run.container_port,
        network=run.network or settings.image.replace("/", "-"),
        env={"API_ENV": "production", **_service_env(settings)},
        binds={settings.root / run.logs: f"{run.logs_target}:rw"},
        key_volume=f"{run.name}-key-{token}",
        labels={PROJECT: settings.image, ROLE: "prod"},
        user=run.user,
        memory=run.memory,
        cpus=run.cpus,
        pids=run.pids,
        restart=run.restart,
        log_options=(f"max-size={run.log_size}", f"max-file={run.log_files}"),
        wait=run.wait,
        stop_timeout=run.stop_timeout,
        routes=(settings.smoke.health, settings.smoke.ready),
    )


def development_plan(settings: Settings, *, token: str) -> RunPlan:
    """Return the container that serves the sources of the working tree and reloads them."""
    dev = settings.dev
    plan = production_plan(settings, token=token)
    return replace(
        plan,
        name=dev.name,
        address="127.0.0.1",
        port=dev.port,
        env={"API_ENV": "development", **_service_env(settings), "PYTHONDONTWRITEBYTECODE": "1", **dev.env},
        binds={
            **plan.binds,
            **{settings.root / folder: f"{target}:ro" for folder, target in dev.mounts.items()},
        },
        key_volume=f"{dev.name}-key-{token}",
        labels={**plan.labels, ROLE: "dev"},
        restart="no",
        command=dev.command,
    )


def throwaway_plan(settings: Settings, *, image: str, logs: Path, token: str) -> RunPlan:
    """Return the production container once more, to be tried and thrown away: own name, free port, own logs folder."""
    plan = production_plan(settings, token=token)
    name = f"{settings.run.name}-try-{token}"
    return replace(
        plan,
        image=image,
        name=name,
        address="127.0.0.1",
        port=0,
        binds={logs: f"{settings.run.logs_target}:rw"},
        key_volume=f"{name}-key",
        labels={**plan.labels, ROLE: "throwaway"},
        restart="no",
    )


def candidate_plan(planned: RunPlan, *, logs: Path) -> RunPlan:
    """Return a planned container once more, to prove itself beside the one that serves.

    It has the same image, network, limits and key, and a name, a free loopback port and a key volume of its own. Its
    logs folder is its own too: two processes that rotate one file lose lines of each other.
    """
    return replace(
        planned,
        name=f"{planned.name}-candidate",
        address="127.0.0.1",
        port=0,
        binds={logs if target.endswith(":rw") else folder: target for folder, target in planned.binds.items()},
        key_volume=f"{planned.key_volume}-candidate",
        labels={**planned.labels, ROLE: "candidate"},
        restart="no",
    )


def _service_env(settings: Settings) -> dict[str, str]:
    """Return what every container of the service is told; the key itself is in a file."""
    return {"API_KEY_FILE": KEY_FILE, "PORT": str(settings.run.container_port), **settings.run.env}
