"""Dockerfile -> the cache mounts of a build, and what tells them apart for BuildKit."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.dockerfile import Dockerfile, Instruction, Mount, Stage

# With one of these BuildKit begins a mount with a folder of that owner, which is then part of what the mount is.
OWNED = ("uid", "gid", "mode")
NAMESPACE = "BUILDKIT_CACHE_MOUNT_NS"


@dataclass(frozen=True, kw_only=True)
class CacheMount:
    """One cache mount.

    Attributes:
        id: As BuildKit finds it; the target where the Dockerfile gives none.
        owner: `uid`, `gid` and `mode`, as far as they are given.
        target: Where its first step has it.
        lines: Of the instructions that mount it.
    """

    id: str
    owner: Mapping[str, str]
    target: str
    lines: tuple[int, ...]

    @property
    def identity(self) -> tuple[str, ...]:
        """What BuildKit knows it by."""
        return (self.id, *(self.owner.get(name, "") for name in OWNED))

    def flag(self, target: str) -> str:
        """Return the option of a RUN that has it at a target, and alone while it runs."""
        fields = ["type=cache", f"id={self.id}", f"target={target}", "sharing=locked"]
        fields += [f"{name}={value}" for name, value in self.owner.items()]
        return f"--mount={','.join(map(_quoted, fields))}"


def cache_mounts(dockerfile: Dockerfile, target: Stage) -> tuple[CacheMount, ...]:
    """Return the cache mounts that a build of a stage uses, each once, in the order of their lines.

    One that begins with the files of a stage or an image (`from=`) is left out: BuildKit knows it by these.
    """
    found: dict[tuple[str, ...], CacheMount] = {}
    for instruction, mount in mounted(dockerfile, target):
        one = CacheMount(
            id=posixpath.normpath(mount.id or mount.target),
            owner={name: mount.options[name] for name in OWNED if name in mount.options},
            target=mount.target,
            lines=(instruction.line,),
        )
        known = found.get(one.identity)
        lines = (*known.lines, instruction.line) if known else one.lines
        found[one.identity] = CacheMount(
            id=one.id, owner=one.owner, target=known.target if known else one.target, lines=tuple(dict.fromkeys(lines))
        )
    return tuple(found.values())


def mounted(dockerfile: Dockerfile, target: Stage) -> list[tuple[Instruction, Mount]]:
    """Return every cache mount of the stages that a build needs, with its instruction."""
    return [
        (instruction, mount)
        for stage in dockerfile.needed(target)
        for instruction in stage.instructions
        for mount in instruction.mounts
        if mount.type == "cache" and not mount.from_
    ]


def _quoted(field: str) -> str:
    """Return a field as --mount takes it: BuildKit replaces variables in it, and cuts it at commas."""
    plain = field.replace("$", "\\$")
    return '"' + plain.replace('"', '""') + '"' if re.search(r'[,"\s]', plain) else plain
