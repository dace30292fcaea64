"""What a build needs that does not depend on the day or the checkout: a copy of the context, and a builder for it."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard import context
from dockyard.errors import EngineError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.engines import Engine
    from dockyard.plan import BuildPlan


def writes_archives(plan: BuildPlan, engine: Engine) -> bool:
    """Whether the builder writes images to files: not where the engine keeps them without their manifests."""
    return engine.buildx.driver(plan.builder or None) != "docker" or engine.daemon.server().containerd_store


def require_archives(plan: BuildPlan, engine: Engine) -> None:
    """Refuse a reproducible build that cannot be made here.

    Raises:
        EngineError: The builder writes no archives.
        SettingsError: It is for several platforms.
    """
    if len(plan.platforms) > 1:
        raise SettingsError(
            "A reproducible build is of one platform.",
            f"{', '.join(plan.platforms)} are asked for, and no archive of several can be loaded into the engine.",
            "Build each in turn with `--platform`.",
        )
    if not writes_archives(plan, engine):
        raise EngineError(
            "This engine builds no image whose times are those of the commit.",
            "It keeps images in its classic store, and its own builder exports none; other builds work as ever.",
            "Switch its containerd image store on, or take a builder of its own: `docker buildx create --use`.",
        )


def require_place(plan: BuildPlan, engine: Engine) -> None:
    """Refuse an image that the engine has no place for; of what its own builder makes that one says so itself.

    Raises:
        EngineError: It is of several platforms, and the engine keeps one.
    """
    if plan.own_store and len(plan.platforms) > 1 and not engine.daemon.server().containerd_store:
        raise EngineError(
            "This engine has no place for an image of several platforms.",
            "It keeps images in its classic store, each for one platform.",
            "Switch its containerd image store on, or build each in turn with `--platform`.",
        )


@contextmanager
def copied(source: Path, ignore: context.Ignore) -> Iterator[Path]:
    """Yield a copy of what a context admits, to be edited; nothing here ever writes to the project's files."""
    with tempfile.TemporaryDirectory(prefix="dockyard-") as folder:
        target = Path(folder, "context")
        target.mkdir()
        for name in context.files(source, ignore):
            _copy(source, target, name)
        for path in target.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                shutil.copystat(source / path.relative_to(target), path)
        yield target


def set_times(folder: Path, moment: int) -> None:
    """Give everything in a folder, and the folder itself, one time."""
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (moment, moment), follow_symlinks=False)


def _copy(source: Path, target: Path, name: str) -> None:
    """Copy one file with its rights, a link as a link."""
    copy = target / name
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source / name, copy, follow_symlinks=False)
