"""Dockerfile -> the cache mounts of a build, and what tells them apart for BuildKit."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockyard.dockerfile.outside import hiding
from dockyard.dockerfile.tree import SCRATCH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

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
        image: Whose files it begins with, as the Dockerfile names it; empty is nobody's.
        begins: The same with its digest, so that it means those files for good.
        source: The folder of the image that is mounted.
    """

    id: str
    owner: Mapping[str, str]
    target: str
    lines: tuple[int, ...]
    image: str = ""
    begins: str = ""
    source: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """What BuildKit knows it by."""
        return identity(self.id, self.owner, self.begins, self.source)

    def flag(self, target: str) -> str:
        """Return the option of a RUN that has it at a target, and alone while it runs."""
        fields = ["type=cache", f"id={self.id}", f"target={target}", "sharing=locked"]
        fields += [f"{name}={value}" for name, value in self.owner.items()]
        fields += [f"from={self.image}"] if self.image else []
        fields += [f"source={self.source}"] if self.source else []
        return f"--mount={','.join(map(_quoted, fields))}"


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A cache mount that cannot be carried.

    Attributes:
        id: As BuildKit finds it.
        why: A sentence's second half.
        todo: What helps.
    """

    id: str
    why: str
    todo: str


def identity(name: str, owner: Mapping[str, str], begins: str, source: str) -> tuple[str, ...]:
    """Return what tells a mount from every other: its id and owner, and the files that it begins with."""
    return (name, *(owner.get(each, "") for each in OWNED), *((begins, source) if begins else ()))


def nobody(_: str) -> str:
    """Return that no image is held to a digest."""
    return ""


def cache_mounts(dockerfile: Dockerfile, target: Stage, held: Callable[[str], str] = nobody) -> tuple[CacheMount, ...]:
    """Return the cache mounts that a build of a stage uses, each once, in the order of their lines.

    Args:
        dockerfile: The Dockerfile.
        target: That stage.
        held: Returns an image's name with its digest; empty where it may be another one tomorrow. BuildKit knows a
            mount that begins with files (`from=`) by these: that of such an image is left out, and that of a stage.
    """
    found: dict[tuple[str, ...], CacheMount] = {}
    for instruction, mount in mounted(dockerfile, target, held):
        one = CacheMount(
            id=_id(mount),
            owner={name: mount.options[name] for name in OWNED if name in mount.options},
            target=mount.target,
            lines=(instruction.line,),
            image=_image(mount),
            begins=held(_image(mount)) if _image(mount) else "",
            source=mount.source if _image(mount) else "",
        )
        known = found.get(one.identity)
        lines = dict.fromkeys((*(known.lines if known else ()), instruction.line))
        found[one.identity] = replace(known or one, lines=tuple(lines))
    return tuple(found.values())


def left_out(dockerfile: Dockerfile, target: Stage, held: Callable[[str], str]) -> tuple[LeftOut, ...]:
    """Return the cache mounts that begin with files of which nobody can say that another builder has the same."""
    found: dict[LeftOut, None] = {}
    for _, mount in _all(dockerfile, target):
        image = _image(mount)
        if _is_stage(dockerfile, image):
            why = f"it begins with the files of the stage {image}, and each builder has its own of these"
            found[LeftOut(id=_id(mount), why=why, todo=f"Name an image by digest in place of {image}.")] = None
        elif image and not _for_good(dockerfile, image, held):
            why = f"it begins with the files of {image}, which is not pinned and may be another one there"
            found[LeftOut(id=_id(mount), why=why, todo="Run `invoke pin`.")] = None
    return tuple(found)


def mounted(
    dockerfile: Dockerfile, target: Stage, held: Callable[[str], str] = nobody
) -> list[tuple[Instruction, Mount]]:
    """Return every cache mount of the stages that a build needs and that can be carried, with its instruction."""
    return [
        (instruction, mount)
        for instruction, mount in _all(dockerfile, target)
        if not (image := _image(mount)) or _for_good(dockerfile, image, held)
    ]


def _all(dockerfile: Dockerfile, target: Stage) -> Iterator[tuple[Instruction, Mount]]:
    for stage in dockerfile.needed(target):
        for instruction in stage.instructions:
            yield from ((instruction, each) for each in instruction.mounts if each.type == "cache")


def _id(mount: Mount) -> str:
    return posixpath.normpath(mount.id or mount.target)


def _image(mount: Mount) -> str:
    """Return what a mount begins with; `scratch` is nothing, as is none."""
    return "" if mount.from_ == SCRATCH else mount.from_


def _for_good(dockerfile: Dockerfile, image: str, held: Callable[[str], str]) -> bool:
    """Whether a mount begins with the same files everywhere: an image's by its digest, which a build keeps to."""
    return bool(held(image)) and not (_is_stage(dockerfile, image) or hiding(dockerfile, image))


def _is_stage(dockerfile: Dockerfile, name: str) -> bool:
    return bool(name) and any(each.name == name.lower() for each in dockerfile.stages)


def _quoted(field: str) -> str:
    """Return a field as --mount takes it: BuildKit replaces variables in it, and cuts it at commas."""
    plain = field.replace("$", "\\$")
    return '"' + plain.replace('"', '""') + '"' if re.search(r'[,"\s]', plain) else plain
