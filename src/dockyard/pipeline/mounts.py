"""Cache mounts -> an archive that survives CI, and back."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.cache import archive, carry, key, trim
from dockyard.cache.mounts import cache_mounts
from dockyard.cache.mounts import left_out as left_out_of
from dockyard.dockerfile import load
from dockyard.errors import SettingsError
from dockyard.machine import pins
from dockyard.pipeline.planned import planned
from dockyard.plan import arguments
from dockyard.units import limit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dockyard.cache.mounts import CacheMount, LeftOut
    from dockyard.dockerfile import Dockerfile, Stage
    from dockyard.pipeline.project import Project


def read_dockerfile(project: Project) -> tuple[Dockerfile, Stage]:
    """Return the project's Dockerfile, and the stage that is built.

    Raises:
        SettingsError: It cannot be read.
    """
    settings = project.settings
    # Which image it stands on makes no difference for its mounts: no engine is asked for it.
    base = project.wanted.reference(settings.python)
    given = arguments(settings, python=settings.python, base=base)
    tree = load(settings.root / settings.build.dockerfile, args=given, name=settings.build.dockerfile)
    return tree, tree.built(settings.build.target)


def mounts_key(project: Project) -> str:
    """Return the name of the contents of the cache mounts, fit for the `key` of a CI's cache; no engine is asked."""
    return key.key(project.settings, *read_dockerfile(project), _held(project))


def _held(project: Project) -> Callable[[str], str]:
    """Return what tells an image's name with its digest: the Dockerfile's own, or that of its pins of each platform."""
    kept = pins.read(project.settings.root / project.settings.pin.file)

    def held(reference: str) -> str:
        digests = sorted({each.digest for each in kept if each.reference == reference and not each.assembled})
        return reference if "@" in reference else f"{reference}@{'+'.join(digests)}" if digests else ""

    return held


def export_mounts(project: Project, path: Path) -> archive.Carried:
    """Write what is in the cache mounts into an archive, whole or not at all.

    Raises:
        BuildError: The mounts cannot be reached.
        EngineError: The archive cannot be written.
        SettingsError: The Dockerfile has no cache mounts.
    """
    mounts, refused = _require_mounts(project)
    name = mounts_key(project)
    with planned(project) as plan, tempfile.TemporaryDirectory(prefix="dockyard-") as folder:
        tars = carry.take_out(plan, mounts, project.engine, Path(folder))
        found = [trim.contents(each) for each in tars]
        gone = trim.chosen(found, limit(project.settings.cache.mounts_size))
        packed = []
        for mount, tar, held, out in zip(mounts, tars, found, gone, strict=True):
            trim.without(tar, out)
            left_out = sum(held.units[each].size for each in out)
            packed.append(
                archive.Packed(
                    id=mount.id,
                    owner=dict(mount.owner),
                    size=held.size - left_out,
                    length=tar.stat().st_size,
                    sha256=archive.digest(tar),
                    left_out=left_out,
                    begins=mount.begins,
                    source=mount.source,
                )
            )
        size = 0
        if any(each.size for each in packed):
            archive.write(path, archive.Archive(key=name, mounts=tuple(packed)), tars)
            size = path.stat().st_size
    return archive.Carried(path=path, key=name, mounts=tuple(packed), size=size, refused=refused)


def import_mounts(project: Project, path: Path) -> archive.Carried:
    """Put what an archive holds into the cache mounts, beside what is there.

    Raises:
        BuildError: The mounts cannot be reached.
        EngineError: There is no such archive, or it is damaged.
        SettingsError: The Dockerfile has no cache mounts.
    """
    mounts = {each.identity: each for each in _require_mounts(project)[0]}
    name = mounts_key(project)
    with tempfile.TemporaryDirectory(prefix="dockyard-") as folder:
        there = Path(folder)
        found = archive.read(path, there)
        known = [(number, each) for number, each in enumerate(found.mounts) if each.identity in mounts]
        for new, (number, _) in enumerate(known):
            (there / f"{number}.tar").replace(there / f"{new}.tar")
        if known:
            with planned(project) as plan:
                carry.put_in(plan, [mounts[each.identity] for _, each in known], project.engine, there)
    return archive.Carried(
        path=path,
        key=found.key,
        mounts=tuple(each for _, each in known),
        size=path.stat().st_size,
        unknown=tuple(each.id for each in found.mounts if each.identity not in mounts),
        current=found.key == name,
    )


def _require_mounts(project: Project) -> tuple[Sequence[CacheMount], tuple[LeftOut, ...]]:
    """Return the cache mounts that can be carried, of which there must be one, and those that cannot."""
    tree, target = read_dockerfile(project)
    held = _held(project)
    found = cache_mounts(tree, target, held)
    refused = left_out_of(tree, target, held)
    if refused and not found:
        raise SettingsError(
            f"{tree.name} has no cache mount that can be carried.",
            "\n".join(f"{each.id} cannot be: {each.why}." for each in refused),
            " ".join(dict.fromkeys(each.todo for each in refused)),
        )
    if not found:
        raise SettingsError(
            f"{tree.name} has no cache mounts.",
            "No RUN of the stages that are built has `--mount=type=cache`.",
            "Give your installer one: docs/build.md of dockyard has an example, and `invoke audit` asks for it.",
        )
    return found, refused
