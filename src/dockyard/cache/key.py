"""What decides the contents of cache mounts -> a name for them: as long as it stays, they need not be kept anew."""

from __future__ import annotations

import hashlib
import json
import platform
from typing import TYPE_CHECKING

from dockyard import context
from dockyard.cache.mounts import cache_mounts, mounted, nobody

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dockyard.dockerfile import Dockerfile, Stage
    from dockyard.settings import Settings

DIGITS = 32


def locks(
    settings: Settings, dockerfile: Dockerfile, target: Stage, held: Callable[[str], str] = nobody
) -> tuple[str, ...]:
    """Return the files that are copied before the steps with cache mounts, which say what is fetched into these."""
    root = (settings.root / settings.build.context).resolve()
    ignore = context.effective(root, (settings.root / settings.build.dockerfile).resolve())
    sources = set(_sources(dockerfile, target, held))
    return tuple(
        name for name in context.files(root, ignore) if any(context.brings(source, name) for source in sources)
    )


def key(settings: Settings, dockerfile: Dockerfile, target: Stage, held: Callable[[str], str] = nobody) -> str:
    """Return a name that changes with the locks, the mounts, the Python and the kind of machine, and nothing else.

    Args:
        settings: The project's.
        dockerfile: Its Dockerfile.
        target: The stage that is built.
        held: Returns an image's name with its digest; empty where it has none.
    """
    root = settings.root / settings.build.context
    parts = {
        "mounts": [each.identity for each in cache_mounts(dockerfile, target, held)],
        "locks": {name: _digest(root / name) for name in locks(settings, dockerfile, target, held)},
    }
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode("utf-8", "surrogateescape")).hexdigest()
    return f"{prefix(settings)}{digest[:DIGITS]}"


def prefix(settings: Settings) -> str:
    """Return how every such name of this image, Python and kind of machine begins."""
    machine = "-".join(settings.build.platforms or (platform.machine(),)).replace("/", "-")
    return f"mounts-{settings.image.replace('/', '-')}-py{settings.python}-{machine}-"


def _digest(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sources(dockerfile: Dockerfile, target: Stage, held: Callable[[str], str]) -> Iterator[str]:
    """Yield what is copied from the context before a step with a cache mount, in its stage and those below it."""
    for step in {id(each): each for each, _ in mounted(dockerfile, target, held)}.values():
        for each in dockerfile.lineage(step.stage or 0):
            if each.line < step.line:
                yield from each.sources
