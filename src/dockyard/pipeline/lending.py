"""Which base a builder is lent: one that no registry is known to have, and that is in the engine's store alone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dockyard.build.lent import lent
from dockyard.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.machine import Base
    from dockyard.pipeline.project import Project


@contextmanager
def lending(project: Project, base: Base, driver: str, *, builds: bool = True) -> Iterator[dict[str, str]]:
    """Yield what a builder is lent, by name, and where buildx finds it for as long as the block lasts.

    Args:
        project: Whose engine has the base.
        base: What is built on.
        driver: What the builder runs on; empty is not known.
        builds: Whether anything is built; else nothing is copied.

    Raises:
        EngineError: The base cannot be lent.
        SettingsError: It was assembled here, and other platforms are asked for.
    """
    others = _other_platforms(project, base)
    # What is known by its digest the builder pulls by that; a tag may be another image where it looks.
    if driver in {"", "docker"} or "@" in base.pinned or others:
        yield {}
    elif builds:
        with lent(project.engine, base.reference) as place:
            yield {base.reference: place}
    else:
        yield {base.reference: ""}


def _other_platforms(project: Project, base: Base) -> list[str]:
    """Return the platforms that are asked for and that the engine has no base of.

    Raises:
        SettingsError: There are some, and the base is an assembled one, which is for one architecture alone.
    """
    platforms = project.settings.build.platforms
    if not platforms:
        return []
    image = project.engine.daemon.image(base.reference)
    here = f"linux/{image.architecture}" if image else ""
    others = [platform for platform in platforms if platform != here]
    if others and not base.official:
        raise SettingsError(
            f"The image cannot be built for {', '.join(others)}.",
            f"Its base {base.reference} was assembled on this machine and is for {here} alone.",
            "Build it where the registry or a mirror has the official base.",
        )
    return others
