"""Settings -> BuildPlan and RunPlan: what will be asked of the engine, as data. Nothing here asks it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dockyard.machine import Base
    from dockyard.revision import Revision
    from dockyard.settings import Settings

SECRETS = "/run/secrets"
KEY_FILE = f"{SECRETS}/api_key"
OCI = "org.opencontainers.image"
PROJECT = "dev.dockyard.project"
ROLE = "dev.dockyard.role"


@dataclass(frozen=True, kw_only=True)
class BuildPlan:
    """One build.

    Attributes:
        base: What the Dockerfile gets as `BASE_IMAGE`.
        secrets: Secret id to the file that holds it.
        note: What a person should know before it starts; empty if nothing.
    """

    context: Path
    dockerfile: Path
    python: str
    base: str
    tags: tuple[str, ...]
    args: Mapping[str, str]
    labels: Mapping[str, str]
    secrets: Mapping[str, Path]
    target: str = ""
    platforms: tuple[str, ...] = ()
    builder: str = ""
    cache: bool = True
    pull: bool = False
    note: str = ""

    def options(self) -> dict[str, Any]:
        """Return the options of the engine's `build`."""
        return {
            "file": self.dockerfile,
            "tags": list(self.tags),
            "build_args": dict(self.args),
            "labels": dict(self.labels),
            "secrets": [f"id={name},src={path}" for name, path in self.secrets.items()],
            "target": self.target or None,
            "platforms": list(self.platforms) or None,
            "builder": self.builder or None,
            "cache": self.cache,
            "pull": self.pull,
            "load": len(self.platforms) <= 1,
            # BuildKit's default attestation holds the time of the build: the same sources would give another digest.
            "provenance": False,
        }


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """How one build is asked for.

    Attributes:
        prod: Whether the image gets the tag that `run` starts.
        stage: Build only up to this stage; it is no product, and tagged with its own name alone.
        cache: Whether finished steps are taken from the cache.
        pull: Whether the registry is asked for a newer base.
    """

    prod: bool = True
    stage: str = ""
    cache: bool = True
    pull: bool = False


AS_USUAL = BuildOptions()


def build_plan(
    settings: Settings,
    *,
    base: Base,
    revision: Revision,
    secrets: Mapping[str, Path],
    options: BuildOptions = AS_USUAL,
) -> BuildPlan:
    """Return the build of one Python's image."""
    build = settings.build
    tags = (settings.reference, settings.matrix_reference) if options.prod else (settings.matrix_reference,)
    return BuildPlan(
        context=(settings.root / build.context).resolve(),
        dockerfile=(settings.root / build.dockerfile).resolve(),
        python=settings.python,
        base=base.reference,
        tags=(f"{settings.matrix_reference}-{options.stage}",) if options.stage else tags,
        args={"PYTHON_VERSION": settings.python, "BASE_IMAGE": base.reference, **build.args},
        labels=_labels(settings, base, revision),
        secrets=secrets,
        target=options.stage or build.target,
        platforms=build.platforms,
        builder=build.builder,
        cache=options.cache,
        # A base that was assembled here is in no registry.
        pull=options.pull and base.official,
        note="" if base.official else f"Base: {base.reference}, assembled on this machine; not the official image.",
    )


def _labels(settings: Settings, base: Base, revision: Revision) -> dict[str, str]:
    """Return the OCI labels that are known, ours, then the project's own."""
    known = {
        f"{OCI}.title": settings.image,
        f"{OCI}.version": settings.version,
        f"{OCI}.revision": revision.commit,
        f"{OCI}.source": revision.url,
        f"{OCI}.created": revision.created,
        f"{OCI}.base.name": base.reference,
        f"{OCI}.base.digest": base.digest,
    }
    ours = {PROJECT: settings.image}
    return {**{name: value for name, value in known.items() if value}, **ours, **settings.build.labels}


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """One container.

    Attributes:
        port: Host port; 0 takes a free one.
        binds: Host folder to target and mode, for instance {Path("/srv/logs"): "/app/logs:rw"}.
        key_volume: The volume that carries the key; mounted read-only at /run/secrets.
        wait: Seconds to become healthy.
        stop_timeout: Seconds between SIGTERM and SIGKILL.
    """

    image: str
    name: str
    address: str
    port: int
    container_port: int
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

    def writable_folders(self) -> tuple[Path, ...]:
        """Return the host folders that the container's user must be able to write."""
        return tuple(folder for folder, target in self.binds.items() if target.endswith(":rw"))

    def options(self) -> dict[str, Any]:
        """Return the options of the engine's `run`: confined as far as the service works."""
        mounts: list[tuple[str, ...]] = [(self.key_volume, SECRETS, "ro")]
        mounts += [(str(folder), *target.split(":")) for folder, target in self.binds.items()]
        address = f"[{self.address}]" if ":" in self.address else self.address
        return {
            "detach": True,
            "name": self.name,
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
    )


def development_plan(settings: Settings, *, token: str) -> RunPlan:
    """Return the container that serves the sources of the working tree and reloads them."""
    run, dev = settings.run, settings.dev
    return RunPlan(
        image=settings.reference,
        name=dev.name,
        address="127.0.0.1",
        port=dev.port,
        container_port=run.container_port,
        env={"API_ENV": "development", **_service_env(settings), "PYTHONDONTWRITEBYTECODE": "1", **dev.env},
        binds={
            settings.root / run.logs: f"{run.logs_target}:rw",
            **{settings.root / folder: f"{target}:ro" for folder, target in dev.mounts.items()},
        },
        key_volume=f"{dev.name}-key-{token}",
        labels={PROJECT: settings.image, ROLE: "dev"},
        user=run.user,
        memory=run.memory,
        cpus=run.cpus,
        pids=run.pids,
        restart="no",
        log_options=(f"max-size={run.log_size}", f"max-file={run.log_files}"),
        wait=run.wait,
        stop_timeout=run.stop_timeout,
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


def _service_env(settings: Settings) -> dict[str, str]:
    """Return what every container of the service is told; the key itself is in a file."""
    return {"API_KEY_FILE": KEY_FILE, "PORT": str(settings.run.container_port), **settings.run.env}
