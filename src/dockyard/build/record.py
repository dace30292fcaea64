"""What one build did: kept, and read again for how long the next one may take."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from dockyard.build.estimate import Times
from dockyard.build.layers import NO_LAYERS, Layers
from dockyard.build.steps import Step

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from dockyard.state import State

BUILDS = "builds"
KEPT_RECORDS = 50
TIMED = ("name", "started", "completed", "cached", "error")


@dataclass(frozen=True, kw_only=True)
class BuildRecord:
    """What one build did; kept in .dockyard/builds.

    Attributes:
        digest: Of the image's manifest, or of its configuration where the engine's store has no manifests.
        index: Digest of the index around the image and what is attested of it: another for each build; empty if none.
        platforms: Of an image of several platforms with provenance, the digest of each one's manifest.
        attestations: In-toto statements, as they were read back from the engine.
        args: Build arguments.
        inputs: Digests of the files that decide a build: the Dockerfile and .dockerignore.
        builder: The buildx builder that built; empty where buildx does not tell.
        driver: What that runs on, for instance `docker`.
        layers: The layer cache that outlives it, and what was done with it.
        ingredients: What went into each step, as `dockyard.explain` keeps it; empty if nobody gathered it.
        images: The other images that the Dockerfile names and that are pinned, to what was taken in their places.
    """

    python: str
    tags: tuple[str, ...]
    base: str
    base_digest: str
    digest: str
    started: str
    seconds: float
    args: dict[str, str]
    inputs: dict[str, str]
    steps: tuple[Step, ...]
    builder: str = ""
    index: str = ""
    platforms: tuple[str, ...] = ()
    attestations: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    driver: str = ""
    layers: Layers = NO_LAYERS
    ingredients: Mapping[str, Any] = field(default_factory=dict, repr=False)
    images: Mapping[str, str] = field(default_factory=dict)

    @property
    def cached(self) -> int:
        """How many of the Dockerfile's steps were cached."""
        return sum(step.cached for step in self.steps if step.counts)

    @property
    def counted(self) -> int:
        """How many steps of the Dockerfile there are."""
        return sum(step.counts for step in self.steps)


def keep(record: BuildRecord, state: State, started: datetime) -> None:
    """Write a record, named by when its build began, and drop the oldest ones."""
    plain = asdict(record)
    for step, kept in zip(record.steps, plain["steps"], strict=True):
        kept["seconds"] = step.seconds
        del kept["transfers"]
    state.write_record(f"{BUILDS}/{started:%Y%m%dT%H%M%S.%fZ}-py{record.python}.json", plain)
    state.keep(BUILDS, KEPT_RECORDS)


def earlier(state: State, python: str) -> Times:
    """Return what the steps of earlier builds took: of those of a Python, or else of all.

    Args:
        state: Where the records are.
        python: Version of the image's Python.
    """
    names = state.records(BUILDS)[::-1]
    alike = [name for name in names if name.endswith(f"-py{python}.json")] or names
    kept = (state.read_record(name) or {} for name in alike)
    return Times(
        [Step(**{field: each[field] for field in TIMED}) for each in record.get("steps", ())] for record in kept
    )
