"""Rebuilds after an edit of the source, of the configuration and of the lock: which steps ran, which were cached."""

from __future__ import annotations

import fnmatch
import posixpath
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard import context
from dockyard.audit.evidence import Missing
from dockyard.audit.facts.installing import installing
from dockyard.audit.trials import Rebuild

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dockyard.build.workshop import Built, Workshop
    from dockyard.dockerfile import Instruction
    from dockyard.engines.cache import CacheRecord

LOCKS = ("*.lock", "requirements*", "*requirements*.txt", "*.txt", "pylock*.toml", "Pipfile*", "pyproject.toml")
COMMENTED = (".toml", ".yaml", ".yml", ".ini", ".cfg", ".conf", ".properties", ".txt", ".lock", ".py", ".in")
JSON = (".json",)
BLANKS = str.maketrans("01", " \t")


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A file to edit: source, config or lock."""

    kind: str
    path: str


def cache_trial(shop: Workshop) -> tuple[Rebuild, ...] | Missing:
    """Build a copy until all is cached, then edit one file after another, each with a build of its own.

    Each edit is unlike any before it, so no cache of an earlier audit answers for it; none is of the project's own
    files, so no later build meets what these leave in the cache.
    """
    chosen = edits(shop)
    if isinstance(chosen, Missing):
        return chosen
    with shop.copied() as copy:
        shop.build(copy)
        return tuple(_tried(shop, copy, edit) for edit in chosen)


def edits(shop: Workshop) -> tuple[Edit, ...] | Missing:
    """Choose files: source of the last COPY with Python, lock before the last installer, config of the COPY beside."""
    copies = tuple(_copies(shop, list(context.files(shop.plan.context, shop.ignore))))
    bringing = [(at, python) for at, files in copies if (python := [name for name in files if name.endswith(".py")])]
    if not bringing:
        return Missing("No COPY of the Dockerfile brings Python source from the context.")
    brings, python = bringing[-1]
    lock = _lock(shop, copies)
    if not lock:
        return Missing("No file that is copied before a RUN with pip, uv or poetry could be told to be the lock.")
    config = [
        name
        for at, files in copies
        if at is not brings and at.stage == brings.stage
        for name in files
        if name != lock and name.endswith((*COMMENTED, *JSON)) and not name.endswith(".py")
    ]
    found = [Edit(kind="source", path=_plainest(python))]
    found += [Edit(kind="config", path=_plainest(config))] if config else []
    return (*found, Edit(kind="lock", path=lock))


def _copies(shop: Workshop, files: list[str]) -> Iterator[tuple[Instruction, list[str]]]:
    """Yield what copies from the context, with the files that each brings."""
    for each in shop.instructions:
        if each.sources:
            yield each, [name for name in files if any(context.brings(source, name) for source in each.sources)]


def _lock(shop: Workshop, copies: tuple[tuple[Instruction, list[str]], ...]) -> str:
    """Return the file whose change must install anew: the one of the settings, or what is named like one."""
    runs = [each for each in shop.instructions if installing(each)]
    before = [
        name
        for at, files in copies
        if runs and at.stage == runs[-1].stage and at.line < runs[-1].line
        for name in reversed(files)
    ]
    if shop.lock in before:
        return shop.lock
    named = [name for name in before if any(fnmatch.fnmatch(posixpath.basename(name), each) for each in LOCKS)]
    return named[-1] if named else ""


def _plainest(names: list[str]) -> str:
    """Return the file that nothing much depends on being as it is: the least deep, packages' own last."""
    return min(names, key=lambda name: (name.endswith("__init__.py"), name.count("/"), name))


def _tried(shop: Workshop, copy: Path, edit: Edit) -> Rebuild:
    """Return what an edit ran; of source and configuration the lesser of two edits.

    BuildKit may lose a result at any time. A step that an edit makes run, runs after each; one whose result was lost is
    cached after the next.
    """
    first = _edited(shop, copy, edit)
    return first if edit.kind == "lock" else min(first, _edited(shop, copy, edit), key=lambda each: len(each.ran))


def _edited(shop: Workshop, copy: Path, edit: Edit) -> Rebuild:
    """Edit a file of the copy, build, and return what that ran."""
    _append(copy / edit.path)
    before = {mount.id: mount.uses for mount in _mounts(shop)}
    built = shop.build(copy)
    return Rebuild(
        edit=f"edited {edit.path}",
        kind=edit.kind,
        ran=built.told(cached=False),
        cached=built.told(cached=True),
        seconds=round(built.seconds, 1),
        mounts=_used(shop, built, before),
    )


def _append(path: Path) -> None:
    """Append what means nothing in such a file, and was never there before."""
    token = secrets.token_hex(8)
    text = path.read_text("utf-8", "surrogateescape")
    plain = path.suffix in JSON or text.lstrip().startswith("{")
    edit = f"{int(token, 16):064b}".translate(BLANKS) if plain else f"# dockyard-audit {token}"
    path.write_text(f"{text}\n{edit}\n", "utf-8", "surrogateescape")


def _mounts(shop: Workshop) -> tuple[CacheRecord, ...]:
    return shop.engine.buildx.cache.mounts(shop.plan.builder or None)


def _used(shop: Workshop, built: Built, before: Mapping[str, int]) -> dict[str, int]:
    """Return the cache mounts of the steps that ran, with their bytes; one that no step has used since is not there."""
    ran = set(built.told(cached=False))
    mounts = [mount for each in shop.instructions if each.printed in ran for mount in each.mounts]
    targets = {mount.target for mount in mounts if mount.type == "cache"}
    sizes: dict[str, int] = {}
    for mount in _mounts(shop) if targets else ():
        if mount.target in targets and mount.uses > before.get(mount.id, 0):
            sizes[mount.target] = max(mount.size, sizes.get(mount.target, 0))
    return sizes
