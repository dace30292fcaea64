"""Settings -> the values of buildx's --cache-from and --cache-to: layers that outlive the builder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dockyard.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dockyard.settings import Settings

LONGEST = 100
# Presets whose export may fail for the network's sake: the image is built all the same.
REMOTE = ("gha", "registry", "s3")


@dataclass(frozen=True, kw_only=True)
class LayerCache:
    """Where a build takes finished steps from beside its builder, and where it leaves them.

    Attributes:
        preset: gha, registry, local or s3.
        sources: Each a value of --cache-from; one that is not there yet is no error.
        target: The value of --cache-to; None writes nothing.
        folder: Of `local`.
    """

    preset: str
    sources: tuple[Mapping[str, str], ...]
    target: Mapping[str, str] | None
    folder: Path | None = None

    def options(self, *, imports: bool = True) -> dict[str, Any]:
        """Return the options of the engine's `build`; a build that takes nothing from the cache imports nothing."""
        return {
            **({"cache_from": [dict(each) for each in self.sources]} if imports else {}),
            **({"cache_to": dict(self.target)} if self.target else {}),
        }


def layer_cache(settings: Settings, *, branch: str = "", stage: str = "") -> LayerCache | None:
    """Return the layer cache that the settings ask for; None is none.

    Args:
        settings: The settings.
        branch: That is built; empty where nobody knows.
        stage: The stage that is built in place of the image: it leaves less, which must not take the image's place.

    Raises:
        SettingsError: The preset lacks what it needs.
    """
    cache = settings.cache
    if not cache.preset:
        return None
    folder = None
    if cache.preset == "local":
        folder = (settings.root / cache.folder / _plain(_kind(settings, stage))).resolve()
    found = _values(settings, _kind(settings, stage), branch, folder)
    sources = tuple({"type": cache.preset, **each} for each in found)
    target = {**sources[0], "mode": cache.mode, **({"ignore-error": "true"} if cache.preset in REMOTE else {})}
    if folder is not None:
        del target["src"]
        target["dest"] = str(folder)
    return LayerCache(preset=cache.preset, sources=sources, target=target if cache.export else None, folder=folder)


def _kind(settings: Settings, stage: str) -> str:
    """Return what tells the builds of a branch apart: Python, platforms and stage."""
    return "-".join([f"py{settings.python}", *settings.build.platforms, *([stage] if stage else [])])


def _values(settings: Settings, kind: str, branch: str, folder: Path | None) -> list[dict[str, str]]:
    """Return what names the cache of this branch, then that of the branch which it begins with."""
    cache = settings.cache
    branches = dict.fromkeys(each for each in (branch, cache.branch) if each)
    match cache.preset:
        case "local":
            return [{"src": _without_commas(str(folder))}]
        case "gha":
            # GitHub itself keeps branches apart, and lets each read those of the default branch.
            return [{"scope": _plain(f"{settings.image}-{kind}")}]
        case "registry":
            _require(cache.ref, "cache.ref", "registry", "registry.corp/team/api-cache")
            return [{"ref": f"{cache.ref}:{_plain(f'{kind}-{each}')}"} for each in branches]
        case _:
            _require(cache.bucket, "cache.bucket", "s3", "build-cache")
            _require(cache.region, "cache.region", "s3", "eu-central-1")
            place = {"region": cache.region, "bucket": cache.bucket}
            if cache.endpoint:
                # Services of one's own seldom have a host name for each bucket.
                place |= {"endpoint_url": cache.endpoint, "use_path_style": "true"}
            return [{**place, "name": _plain(f"{settings.image}-{kind}-{each}")} for each in branches]


def _plain(name: str) -> str:
    """Return a name that is a tag everywhere."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name)[:LONGEST]


def _require(value: str, key: str, preset: str, example: str) -> None:
    if not value:
        raise SettingsError(
            f"The cache {preset} is asked for, and {key} is not set.",
            "It says where the layers are kept.",
            f'Write `{key.partition(".")[2]} = "{example}"` into [tool.dockyard.cache].',
        )


def _without_commas(path: str) -> str:
    """Return a path that buildx takes for one value."""
    if set(path) & set(',"\n'):
        raise SettingsError(
            f"Layers cannot be kept in {path}.",
            "buildx takes a comma or a quote in it for the end of the path.",
            "Name another folder as `cache.folder`.",
        )
    return path
