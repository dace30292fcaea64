"""What the caches of a project keep, and what of it can go."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard import explain
from dockyard.cache import carry, forecast, kept, known
from dockyard.cache.inventory import Inventory
from dockyard.cache.mounts import NAMESPACE, cache_mounts
from dockyard.pipeline.mounts import read_dockerfile
from dockyard.pipeline.planned import planned

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockyard.cache.kept import Kept
    from dockyard.pipeline.project import Project

ORDER = (kept.LAYERS, kept.MOUNTS, kept.EXPORTED, kept.RECORDS)


def inventory(project: Project) -> Inventory:
    """Return what the caches of this project keep.

    Raises:
        EngineError: The builder cannot be asked.
        SettingsError: The Dockerfile cannot be read.
    """
    settings = project.settings
    history = list(explain.Records(project.state))
    steps = known.known(history)
    cache = project.engine.buildx.cache
    builder = settings.build.builder or project.engine.buildx.current()
    records = cache.records(settings.build.builder or None)
    tree, target = read_dockerfile(project)
    namespace = settings.build.args.get(NAMESPACE, "")
    found = [*kept.layers(records, steps), *kept.mounts(records, cache_mounts(tree, target), namespace)]
    exported = list(kept.folders(kept.EXPORTED, _exports(project)))
    found += exported
    found += kept.folders(kept.RECORDS, {".dockyard/builds": settings.state / "builds"})
    told = forecast.forecast(
        found,
        {each.id: each for each in records},
        last={step.name for step in history[0].steps.values()} if history else (),
        pythons=len(settings.pythons),
        exported=next((each.size for each in exported if each.what.endswith(f"py{settings.python}")), 0),
    )
    return Inventory(
        project=settings.image,
        builder=builder,
        kept=tuple(sorted(found, key=lambda each: (ORDER.index(each.kind), -each.size))),
        total=sum(each.size for each in records),
        builds=len(history),
        forecast=told,
    )


def prune(project: Project, going: Sequence[Kept]) -> Iterator[str]:
    """Let go of what was chosen, and yield what went; no other command of this project may be at it.

    Raises:
        BuildError: The cache mounts cannot be reached.
        EngineError: The builder refused, or another command is at work.
    """
    with project.state.lock("run"):
        yield from _pruned(project, going)


def _pruned(project: Project, going: Sequence[Kept]) -> Iterator[str]:
    tree, target = read_dockerfile(project)
    names = {each.what for each in going if each.kind == kept.MOUNTS}
    mounts = [each for each in cache_mounts(tree, target) if each.id in names]
    if mounts:
        with planned(project) as plan, tempfile.TemporaryDirectory(prefix="dockyard-") as folder:
            carry.empty(plan, mounts, project.engine, Path(folder))
        yield from (f"contents of the cache mount {each.id}" for each in mounts)
    exports = _exports(project)
    for each in going:
        if each.kind == kept.EXPORTED:
            shutil.rmtree(exports[each.what])
            yield f"layers exported to {each.what}"
    layers = [name for each in going if each.kind == kept.LAYERS for name in each.ids]
    if layers:
        # In one go: BuildKit begins with those that nothing stands on.
        freed = project.engine.buildx.cache.remove(project.settings.build.builder or None, layers)
        yield f"{freed} of {len(layers)} results of steps"


def _exports(project: Project) -> dict[str, Path]:
    """Return the folders that hold exported layers, by their names from the project's root."""
    root, folder = project.settings.root, project.settings.root / project.settings.cache.folder
    found = sorted(each.parent for each in folder.glob("py3.*/index.json"))
    return {str(each.relative_to(root)) if each.is_relative_to(root) else str(each): each for each in found}
