"""What the engine says of itself, its images and its containers, read from the API's answers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MOUNT = re.compile(r"cached mount (?P<target>\S+) from exec ")
SIZE = re.compile(r"(?P<number>\d+(\.\d+)?)(?P<unit>[kKMGT]?)(?P<binary>i?)B")


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
        diff_ids: Digests of its layers, unpacked, the lowest first.
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
    diff_ids: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The registry's digest, `sha256:…`; the image's id where the engine knows none."""
        return self.digests[0].rpartition("@")[2] if self.digests else self.id


@dataclass(frozen=True, kw_only=True)
class CacheMount:
    """What BuildKit keeps for a cache mount.

    Attributes:
        id: Of the record; one mount may have several.
        target: Where the step that made it has it.
        size: In bytes.
        uses: How often a step had it.
    """

    id: str
    target: str
    size: int
    uses: int


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
        diff_ids=tuple((told.get("RootFS") or {}).get("Layers") or ()),
    )


def read_cache_mounts(told: str) -> tuple[CacheMount, ...]:
    """Read an answer of `docker buildx du --verbose`: records of `Name: value` lines, an empty line between them."""
    found = []
    for record in told.split("\n\n"):
        fields = {name: value.strip() for line in record.splitlines() for name, _, value in [line.partition(":")]}
        mount = MOUNT.match(fields.get("Description", ""))
        if mount:
            found.append(
                CacheMount(
                    id=fields.get("ID", ""),
                    target=mount["target"],
                    size=_bytes(fields.get("Size", "")),
                    uses=int(fields.get("Usage count", 0)),
                )
            )
    return tuple(found)


def _bytes(told: str) -> int:
    """Read a size as BuildKit writes it for people, for instance 4.096kB or 12.5MiB."""
    found = SIZE.fullmatch(told)
    if not found:
        return 0
    step = 1024 if found["binary"] else 1000
    return int(float(found["number"]) * step ** ("kmgt".find(found["unit"].lower()) + 1 if found["unit"] else 0))


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
    )
