"""A treemap: areas that are as large as the bytes, as near to squares as can be, in groups."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dockyard.size.measure import NO_OWNER, folder_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockyard.size.measure import Counted, Measured

DEPTH = 3
Family = Literal["base", "distributions", "files"]
FAMILIES: tuple[Family, ...] = ("base", "distributions", "files")


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One area.

    Attributes:
        family: What it is of: the base, a distribution on top of it, or other files on top.
    """

    name: str
    bytes: int
    family: Family


@dataclass(frozen=True)
class Box:
    """Where an area is."""

    left: float
    top: float
    width: float
    height: float


def tiles(measured: Measured, *, least: float) -> tuple[Tile, ...]:
    """Return what an image is made of, family by family, the largest first.

    Args:
        measured: The image.
        least: Share of the whole below which tiles of a family are put together.
    """
    sizes: Counter[tuple[Family, str]] = Counter()
    for each in measured.files:
        sizes[_tile(measured, each)] += each.size
    return tuple(tile for family in FAMILIES for tile in _family(sizes, family, measured.total * least))


def _tile(measured: Measured, file: Counted) -> tuple[Family, str]:
    """Return the family and the name of the tile that a file is in."""
    of = measured.distributions[file.owner] if file.owner != NO_OWNER else None
    name = f"{of.name} {of.version}" if of else folder_of(file.path, DEPTH)
    if measured.layers[file.layer].base:
        return "base", name
    return "distributions" if of else "files", name


def _family(sizes: Counter[tuple[Family, str]], family: Family, least: float) -> Iterator[Tile]:
    own = {name: size for (of, name), size in sizes.items() if of == family and size}
    small = [name for name, size in own.items() if size < least]
    if len(small) > 1:
        together = sum(own.pop(name) for name in small)
        own[f"{len(small)} more"] = together
    for name, size in sorted(own.items(), key=lambda each: (-each[1], each[0])):
        yield Tile(name=name, bytes=size, family=family)


def laid(shown: Sequence[Tile], box: Box) -> list[tuple[Tile, Box]]:
    """Return where each tile is; those of a family are together."""
    families = [[tile for tile in shown if tile.family == family] for family in FAMILIES]
    there = sorted((each for each in families if each), key=_bytes, reverse=True)
    boxes = squarify([_bytes(each) for each in there], box)
    return [
        placed
        for each, inner in zip(there, boxes, strict=True)
        for placed in zip(each, squarify([tile.bytes for tile in each], inner), strict=True)
    ]


def _bytes(family: Sequence[Tile]) -> int:
    return sum(tile.bytes for tile in family)


def squarify(weights: Sequence[float], box: Box) -> list[Box]:
    """Cut a box into areas of these weights, the largest first (Bruls, Huizing, van Wijk: Squarified Treemaps)."""
    boxes: list[Box] = []
    rest = list(weights)
    while rest:
        scale = box.width * box.height / sum(rest)
        side = min(box.width, box.height)
        count = 1
        while count < len(rest) and _worst(rest[: count + 1], side, scale) <= _worst(rest[:count], side, scale):
            count += 1
        row, rest = rest[:count], rest[count:]
        boxes += _row(row, box, scale)
        box = _beside(box, sum(row) * scale)
    return boxes


def _worst(row: Sequence[float], side: float, scale: float) -> float:
    """Return how far from a square the worst area of a row along a side is."""
    area = sum(row) * scale
    return max(max(side**2 * each * scale / area**2, area**2 / (side**2 * each * scale)) for each in (row[0], row[-1]))


def _row(row: Sequence[float], box: Box, scale: float) -> Iterator[Box]:
    """Lay a row along the shorter side of a box."""
    upright = box.width >= box.height
    thick = sum(row) * scale / (box.height if upright else box.width)
    at = 0.0
    for each in row:
        long = each * scale / thick
        if upright:
            yield Box(box.left, box.top + at, thick, long)
        else:
            yield Box(box.left + at, box.top, long, thick)
        at += long


def _beside(box: Box, area: float) -> Box:
    """Return what a row of this area leaves of a box."""
    if box.width >= box.height:
        thick = area / box.height
        return Box(box.left + thick, box.top, max(box.width - thick, 0), box.height)
    thick = area / box.width
    return Box(box.left, box.top + thick, box.width, max(box.height - thick, 0))
