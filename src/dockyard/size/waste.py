"""Bytes that are sent and serve nobody: overwritten, deleted later, or there more than once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dockyard.size.inodes import held

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.image import Entry, Image, Layer
    from dockyard.size.inodes import Inode

How = Literal["overwritten", "deleted"]


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """A file of a layer that no container sees.

    Attributes:
        layer: That has it.
        by: The layer that hides it.
        same: Whether the bytes that took its place are the same: only its rights, owner or time changed.
    """

    path: str
    size: int
    layer: int
    by: int
    how: How
    same: bool


@dataclass(frozen=True, kw_only=True)
class Act:
    """What one layer hides of another in one way: most often one instruction that can be mended.

    Attributes:
        files: The largest first.
    """

    layer: int
    by: int
    how: How
    same: bool
    files: tuple[Hidden, ...]

    @property
    def bytes(self) -> int:
        """All that it hides."""
        return sum(each.size for each in self.files)


@dataclass(frozen=True, kw_only=True)
class Duplicate:
    """Equal files that are no links of each other.

    Attributes:
        size: Of each.
        paths: In the order of their layers.
        layers: Of each path.
    """

    size: int
    paths: tuple[str, ...]
    layers: tuple[int, ...]

    @property
    def wasted(self) -> int:
        """All copies but one."""
        return self.size * (len(self.paths) - 1)


@dataclass(frozen=True, kw_only=True)
class Waste:
    """All that is wasted, the largest first."""

    hidden: tuple[Hidden, ...]
    duplicates: tuple[Duplicate, ...]

    def of(self, how: How) -> int:
        """Return the bytes that are hidden so."""
        return sum(each.size for each in self.hidden if each.how == how)

    @property
    def acts(self) -> tuple[Act, ...]:
        """What is hidden, put together by who hides it, the largest first."""
        found: dict[tuple[int, int, How, bool], list[Hidden]] = {}
        for each in self.hidden:
            found.setdefault((each.layer, each.by, each.how, each.same), []).append(each)
        acts = (
            Act(layer=layer, by=by, how=how, same=same, files=tuple(files))
            for (layer, by, how, same), files in found.items()
        )
        return tuple(sorted(acts, key=lambda each: (-each.bytes, each.layer, each.by)))

    @property
    def duplicated(self) -> int:
        """Bytes of copies."""
        return sum(each.wasted for each in self.duplicates)

    @property
    def total(self) -> int:
        """All of it."""
        return sum(each.size for each in self.hidden) + self.duplicated


def wasted(image: Image, seen: Mapping[Inode, Entry]) -> Waste:
    """Return what is wasted.

    Args:
        image: As it was read.
        seen: The files that a container sees.
    """
    hidden = (
        _hidden(image, layer, entry)
        for layer in image.layers
        for place, entry in held(image, layer).items()
        if place not in seen and entry.size
    )
    return Waste(
        hidden=tuple(sorted(hidden, key=lambda each: (-each.size, each.layer, each.path))),
        duplicates=tuple(sorted(_duplicates(seen), key=lambda each: (-each.wasted, each.paths))),
    )


def _hidden(image: Image, layer: Layer, entry: Entry) -> Hidden:
    for later in image.layers[layer.index + 1 :]:
        there = later.entries.get(entry.path)
        if there is not None or later.removes(entry.path):
            return Hidden(
                path=entry.path,
                size=entry.size,
                layer=layer.index,
                by=later.index,
                how="deleted" if there is None else "overwritten",
                same=there is not None and entry.sha256 == there.sha256 != "",
            )
    # A layer's own removal of what it brings: engines differ on it, the reader has said so.
    return Hidden(path=entry.path, size=entry.size, layer=layer.index, by=layer.index, how="deleted", same=False)


def _duplicates(seen: Mapping[Inode, Entry]) -> Iterator[Duplicate]:
    equal: dict[str, list[tuple[int, str, int]]] = {}
    for (layer, _), entry in seen.items():
        if entry.size and entry.sha256:
            equal.setdefault(entry.sha256, []).append((layer, entry.path, entry.size))
    for copies in equal.values():
        if len(copies) > 1:
            layers, paths, sizes = zip(*sorted(copies), strict=True)
            yield Duplicate(size=sizes[0], paths=paths, layers=layers)
