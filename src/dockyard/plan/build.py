"""What will be asked of BuildKit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dockyard.plan.labels import BASE_DIGEST, BASE_NAME, OCI, PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dockyard.machine import Base
    from dockyard.plan.caches import LayerCache
    from dockyard.revision import Revision
    from dockyard.settings import Settings


# Stands for the time of the commit outside git.
SOME_TIME = 1_000_000_000
# No Dockerfile reads it: as a build argument it gets into the provenance, and changes nothing else.
LOCK = "DOCKYARD_LOCK"
# By it BuildKit takes another frontend than `# syntax` names.
SYNTAX = "BUILDKIT_SYNTAX"
IMAGE = "docker-image://"


@dataclass(frozen=True, kw_only=True)
class BuildPlan:
    """One build.

    Attributes:
        base: Name of the base image; the Dockerfile gets it with its digest, as `BASE_IMAGE`.
        secrets: Secret id to the file that holds it.
        note: What a person should know before it starts; empty if nothing.
        base_note: The same of its base.
        reproducible: Whether it is made as `archived` says, and loaded into the engine afterwards.
        epoch: The time of the commit, in seconds; some other constant outside git.
        marks: Secret id to what stands for its value in the cache; empty unless a changed secret runs its steps again.
        provenance: Mode of the attestation, `min` or `max`; empty attaches none.
        driver: What the builder runs on, for instance `docker`.
        layers: The layer cache that outlives the builder; None is none.
        offline: Whether its steps have no network.
        contexts: Stages of the Dockerfile, by name, and the folders that take their places.
        images: Images that the Dockerfile names itself, and what is taken in their places, because it is pinned.
        lent: Images that no registry is known to have, by name, and where buildx finds each while it builds.
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
    base_note: str = ""
    reproducible: bool = False
    epoch: int = SOME_TIME
    marks: Mapping[str, str] = field(default_factory=dict)
    provenance: str = ""
    driver: str = ""
    layers: LayerCache | None = None
    offline: bool = False
    contexts: Mapping[str, Path] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    lent: Mapping[str, str] = field(default_factory=dict)

    @property
    def own_store(self) -> bool:
        """Whether the builder keeps its images elsewhere than the engine."""
        return self.driver not in {"", "docker"}

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
            # The engine's own builder leaves the image where it is; only of one platform it takes that for an order.
            "load": len(self.platforms) <= 1 or self.own_store,
            # It holds the time of the build: with it the same sources give another index, of the same image.
            "provenance": {"mode": self.provenance} if self.provenance else False,
            **({"network": "none"} if self.offline else {}),
            **({"build_contexts": contexts} if (contexts := self.named_contexts) else {}),
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What is told before it starts."""
        return tuple(filter(None, (self.base_note, self.note)))

    @property
    def named_contexts(self) -> dict[str, Path | str]:
        """What BuildKit takes wherever the Dockerfile says a stage's name or an image's; no frontend's."""
        frontend = self.args.get(SYNTAX, "").partition(" ")[0]
        images = {name: f"{IMAGE}{image}" for name, image in self.images.items() if image not in (frontend, name)}
        return {**images, **self.contexts, **self.lent}

    def archived(self, target: Path) -> dict[str, Any]:
        """Return the options of a build that writes the image into a file, with no time in it after the commit's.

        Its media types are those of any other build, so that the digest is that of what a registry gets; the list of
        `docker save` is in it too, so that every engine can load it. What a step left in the cache has the time of
        that day, which may be before the commit and would stay: nothing is taken from there.
        """
        # The exporter of `docker save` writes no index.
        kind = "oci" if self.provenance else "docker"
        output = {"type": kind, "oci-mediatypes": "true", "rewrite-timestamp": "true", "dest": str(target)}
        args = {**self.args, "SOURCE_DATE_EPOCH": str(self.epoch)}
        return {**self.options(), "build_args": args, "cache": False, "load": False, "output": output}


@dataclass(frozen=True, kw_only=True)
class Offline:
    """What a build without a network stands on.

    Attributes:
        base: The engine has it.
        contexts: Stages of the Dockerfile, by name, and the folders that take their places.
        images: Images that the Dockerfile names by digest, and the name by which the engine has each.
    """

    base: Base
    contexts: Mapping[str, Path]
    images: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """How one build is asked for.

    Attributes:
        prod: Whether the image gets the tag that `run` starts.
        stage: Build only up to this stage; it is no product, and tagged with its own name alone.
        cache: Whether finished steps are taken from the cache.
        pull: Whether the registry is asked for a newer base.
        reproducible: Whether the same sources give the same digest, on whatever day and machine; the cache of finished
            steps is left alone for it.
        provenance: What is attested of it: min or max; empty and off are nothing.
    """

    prod: bool = True
    stage: str = ""
    cache: bool = True
    pull: bool = False
    reproducible: bool = False
    provenance: str = ""
    offline: Offline | None = None


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
        args=arguments(settings, python=settings.python, base=base.pinned),
        labels=_labels(settings, base, revision),
        secrets=secrets,
        target=options.stage or build.target,
        platforms=build.platforms,
        builder=build.builder,
        cache=options.cache and not (options.reproducible or options.offline),
        # A base that was assembled here is in no registry.
        pull=options.pull and base.official,
        base_note="\n".join(filter(None, (_origin(base), base.note))),
        reproducible=options.reproducible,
        epoch=int(datetime.fromisoformat(revision.created).timestamp()) if revision.created else SOME_TIME,
        offline=options.offline is not None,
        contexts=options.offline.contexts if options.offline else {},
    )


def arguments(settings: Settings, *, python: str, base: str) -> dict[str, str]:
    """Return what a Dockerfile gets for its ARGs: the Python, the base, and the project's own."""
    return {"PYTHON_VERSION": python, "BASE_IMAGE": base, **settings.build.args}


def _origin(base: Base) -> str:
    return "" if base.official else f"Base: {base.reference}, assembled on this machine; not the official image."


def _labels(settings: Settings, base: Base, revision: Revision) -> dict[str, str]:
    """Return the OCI labels that are known, ours, then the project's own."""
    known = {
        f"{OCI}.title": settings.image,
        f"{OCI}.version": settings.version,
        f"{OCI}.revision": revision.commit,
        f"{OCI}.source": revision.url,
        f"{OCI}.created": revision.created,
        BASE_NAME: base.reference,
        BASE_DIGEST: base.digest,
    }
    ours = {PROJECT: settings.image}
    return {**{name: value for name, value in known.items() if value}, **ours, **settings.build.labels}
