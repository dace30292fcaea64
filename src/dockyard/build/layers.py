"""The layer cache that outlives a builder: a folder of it written whole or not at all, and what a build did with it."""

from __future__ import annotations

import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from dockyard.build.steps import Step
    from dockyard.plan import BuildPlan, LayerCache

IMPORTING = "importing cache manifest from "
EXPORTING = "exporting cache to "
INDEX = "index.json"
DONE = "done"


@dataclass(frozen=True, kw_only=True)
class Layers:
    """What a build did with the cache beyond its builder.

    Attributes:
        preset: gha, registry, local or s3; empty is none.
        imported: What was found there, and so could be taken.
        exported: `done`, why it could not be, or empty where nothing was to be written.
    """

    preset: str = ""
    imported: tuple[str, ...] = ()
    exported: str = ""


NO_LAYERS = Layers()


@contextmanager
def kept_layers(plan: BuildPlan) -> Iterator[dict[str, Any]]:
    """Yield the options of a build that has a layer cache; none without one.

    BuildKit adds to a folder and never takes from it, so that it would grow with every build. So a new one is written,
    which takes the place of the old one once the build has ended well.
    """
    layers = plan.layers
    if layers is None:
        yield {}
        return
    if layers.folder is None:
        yield layers.options(imports=plan.cache)
        return
    # What is not there yet would only give a warning that nobody needs.
    options = layers.options(imports=plan.cache and (layers.folder / INDEX).is_file())
    if layers.target is None:
        yield options
        return
    layers.folder.parent.mkdir(parents=True, exist_ok=True)
    half = layers.folder.with_name(f".{layers.folder.name}.{secrets.token_hex(4)}")
    try:
        yield {**options, "cache_to": {**layers.target, "dest": str(half)}}
        if (half / INDEX).is_file():
            _replace(layers.folder, half)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _replace(folder: Path, new: Path) -> None:
    aside = new.with_name(f"{new.name}.old")
    if folder.exists():
        folder.rename(aside)
    new.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)


def told_of(cache: LayerCache | None, steps: Iterable[Step]) -> Layers:
    """Return what a build did with its layer cache, by what BuildKit said it did."""
    if cache is None:
        return NO_LAYERS
    done = list(steps)
    imports = [each for each in done if each.name.startswith(IMPORTING) and not each.error]
    exports = [each for each in done if each.name.startswith(EXPORTING)]
    failed = next((each.error for each in exports if each.error), "")
    return Layers(
        preset=cache.preset,
        imported=tuple(_source(cache, each.name.removeprefix(IMPORTING)) for each in imports),
        exported=failed.splitlines()[-1] if failed else DONE if exports else "",
    )


def _source(cache: LayerCache, told: str) -> str:
    """Return a source for people: BuildKit calls a folder by a number of its own."""
    return str(cache.folder) if cache.folder else told
