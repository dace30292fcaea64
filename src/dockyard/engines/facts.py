"""What the engine says of itself, its images and its containers, read from the API's answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class ServerFacts:
    """The engine: its version, for instance `26.1.5`, and whether images live in containerd's store."""

    version: str
    containerd_store: bool
    architecture: str
    data_root: str


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """An image of the engine.

    Attributes:
        digests: Of its manifest by repository, for instance `python@sha256:…`; none where the store has no manifests.
        size: In bytes.
        folder: In which its containers begin; empty is the root.
        triggers: What ONBUILD kept for the builds that stand on it.
        diff_ids: Digests of its layers, unpacked, the lowest first.
        command: What its containers run, unless they are told otherwise.
    """

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    labels: Mapping[str, str]
    created: str
    size: int
    architecture: str
    env: tuple[str, ...]
    user: str
    folder: str = ""
    triggers: tuple[str, ...] = ()
    diff_ids: tuple[str, ...] = ()
    command: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The registry's digest, `sha256:…`; the image's id where the engine knows none."""
        return self.digests[0].rpartition("@")[2] if self.digests else self.id


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """One run of a container's health check; code -1 where the engine itself could not run or end it."""

    code: int
    seconds: float
    output: str


@dataclass(frozen=True, kw_only=True)
class ContainerFacts:
    """A container of the engine, as `docker inspect` tells it.

    Attributes:
        status: created, running, paused, restarting, exited or dead.
        health: starting, healthy, unhealthy; empty without a health check.
        health_output: What the last probe printed.
        ports: Container port to host address and port, for instance {"8000/tcp": ("127.0.0.1", 8000)}.
        mounts: Target in the container to the source folder or the volume's name.
        memory: Limit in bytes; 0 is none.
        pid: Of its first process, as the engine's host sees it; 0 while it does not run.
        finished: When it ended last; the year 1 if never.
        checks: The last runs of its health check, the latest last.
        command: What it runs.
        networks: Those that it is on.
    """

    id: str
    name: str
    image: str
    image_id: str
    labels: Mapping[str, str]
    status: str
    health: str
    health_output: str
    exit_code: int
    oom_killed: bool
    restarts: int
    started: str
    error: str
    memory: int
    ports: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    mounts: Mapping[str, str] = field(default_factory=dict)
    pid: int = 0
    finished: str = ""
    checks: tuple[HealthCheck, ...] = ()
    command: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


def read_server(info: Mapping[str, Any]) -> ServerFacts:
    """Read an answer of the info API."""
    driver = dict(pair for pair in info.get("DriverStatus") or [] if len(pair) == 2)  # noqa: PLR2004
    return ServerFacts(
        version=info["ServerVersion"],
        containerd_store="io.containerd.snapshotter" in driver.get("driver-type", ""),
        architecture=info["Architecture"],
        data_root=info["DockerRootDir"],
    )


def read_image(told: Mapping[str, Any]) -> ImageFacts:
    """Read an answer of the image inspect API."""
    config = told.get("Config") or {}
    return ImageFacts(
        id=told["Id"],
        tags=tuple(told.get("RepoTags") or ()),
        digests=tuple(told.get("RepoDigests") or ()),
        labels=config.get("Labels") or {},
        created=told.get("Created") or "",
        size=told.get("Size", 0),
        architecture=told.get("Architecture", ""),
        env=tuple(config.get("Env") or ()),
        user=config.get("User", ""),
        folder=config.get("WorkingDir", ""),
        triggers=tuple(config.get("OnBuild") or ()),
        diff_ids=tuple((told.get("RootFS") or {}).get("Layers") or ()),
        command=tuple(config.get("Cmd") or ()),
    )


def read_container(told: Mapping[str, Any]) -> ContainerFacts:
    """Read an answer of the container inspect API."""
    state, config = told["State"], told["Config"]
    health = state.get("Health") or {}
    probes = health.get("Log") or []
    # One that runs without them was cut off from its network; one that does not run has none yet.
    wanted = {} if told["State"].get("Running") else told["HostConfig"].get("PortBindings") or {}
    published = told["NetworkSettings"].get("Ports") or wanted
    return ContainerFacts(
        id=told["Id"],
        name=told["Name"].lstrip("/"),
        image=config["Image"],
        image_id=told["Image"],
        labels=config.get("Labels") or {},
        status=state["Status"],
        health="" if health.get("Status") in (None, "none") else health["Status"],
        health_output=probes[-1]["Output"].strip() if probes else "",
        exit_code=state["ExitCode"],
        oom_killed=state["OOMKilled"],
        restarts=told.get("RestartCount", 0),
        started=state.get("StartedAt", ""),
        error=state.get("Error", ""),
        memory=told["HostConfig"].get("Memory") or 0,
        ports={
            port: (bindings[0]["HostIp"], int(bindings[0]["HostPort"] or 0))
            for port, bindings in published.items()
            if bindings
        },
        mounts={mount["Destination"]: mount.get("Name") or mount.get("Source", "") for mount in told["Mounts"]},
        pid=state.get("Pid", 0),
        finished=state.get("FinishedAt", ""),
        checks=tuple(
            HealthCheck(
                code=each["ExitCode"], seconds=between(each["Start"], each["End"]), output=each["Output"].strip()
            )
            for each in probes
        ),
        command=(told.get("Path", ""), *(told.get("Args") or ())),
        networks=tuple(sorted(told["NetworkSettings"].get("Networks") or {})),
    )


def moment(told: str) -> datetime | None:
    """Return a time of the engine; None for its year 1, which means never."""
    found = datetime.fromisoformat(told) if told else None
    return found if found and found.year > 1 else None


def between(begun: str, ended: str) -> float:
    """Return the seconds from one time to another, as the engine writes them; 0 where they make no sense."""
    try:
        return max(0.0, (datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds())
    except (ValueError, TypeError):
        return 0.0
