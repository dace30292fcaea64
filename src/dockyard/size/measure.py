"""Every figure of an image's size, each from the same list of files, so that they add up."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard.size.distributions import Distribution, attribute, is_package_file
from dockyard.size.filekind import filekind
from dockyard.size.inodes import held, inode, inodes
from dockyard.size.waste import Waste, wasted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dockyard.image import Entry, Image, Layer
    from dockyard.size.inodes import Inode

SHELL = re.compile(r"^(RUN )?(\|\d+ .*?)?/bin/sh -c (?P<nop>#\(nop\) +)?", re.DOTALL)
BUILDKIT = " # buildkit"
NO_OWNER = -1


@dataclass(frozen=True, kw_only=True)
class Base:
    """What an image stands on: its lowest layers."""

    reference: str
    layers: int


@dataclass(frozen=True, slots=True)
class Counted:
    """One file that a container sees; hard links are one.

    Attributes:
        layer: That has its bytes.
        owner: Index of its distribution; -1 for none.
    """

    path: str
    size: int
    layer: int
    kind: str
    owner: int


@dataclass(frozen=True, kw_only=True)
class LayerSize:
    """One layer.

    Attributes:
        instruction: That made it, without what builders add to it.
        line: Of the Dockerfile; 0 where that is not known.
        base: Whether it is of the base.
        files: How many it has, and their bytes: seen or not, hard links once.
        hidden: Bytes of those that a later layer hides.
        compressed: What a pull costs; None where the archive has it uncompressed.
    """

    index: int
    diff_id: str
    instruction: str
    line: int
    base: bool
    files: int
    bytes: int
    hidden: int
    compressed: int | None


@dataclass(frozen=True, kw_only=True)
class Share:
    """Bytes under one name."""

    name: str
    bytes: int
    files: int


@dataclass(frozen=True, kw_only=True)
class Measured:
    """An image's size: `total` = bytes of `files` = bytes of all layers less what later ones hide.

    Attributes:
        dockerfile: That has the lines of the layers; empty where it is not known.
        base: None where it is not known.
        distributions: The largest first.
        problems: What of the image could not be read.
    """

    reference: str
    digest: str
    dockerfile: str
    base: Base | None
    layers: tuple[LayerSize, ...]
    distributions: tuple[Distribution, ...]
    waste: Waste
    problems: tuple[str, ...]
    files: tuple[Counted, ...] = field(repr=False)

    @property
    def total(self) -> int:
        """Bytes that a container sees."""
        return sum(each.size for each in self.files)

    @property
    def over_base(self) -> int | None:
        """Bytes of the layers on top of the base, seen or not; None where the base is not known."""
        return None if self.base is None else sum(each.bytes for each in self.layers if not each.base)

    @property
    def compressed(self) -> int | None:
        """What a pull costs; None where that cannot be told."""
        return pulled(self.layers)

    @property
    def hidden(self) -> int:
        """Bytes that the layers have and no container sees."""
        return sum(each.hidden for each in self.layers)

    @property
    def unrecorded(self) -> Share:
        """Files where distributions are installed that are of none."""
        loose = [each.size for each in self.files if each.owner == NO_OWNER and is_package_file(each.path)]
        return Share(name="in no RECORD", bytes=sum(loose), files=len(loose))


def measure(
    image: Image,
    *,
    name: str = "",
    base: Base | None = None,
    dockerfile: str = "",
    lines: Mapping[int, int] | None = None,
) -> Measured:
    """Measure an image.

    Args:
        image: Read with `distributions.keeps`.
        name: What it is asked for as; default: as it is called in its archive.
        base: If it is known.
        dockerfile: That made it, if it is known.
        lines: Layer to the line of it that made the layer.
    """
    places = {path: inode(image, entry) for path, entry in image.files.items() if entry.is_file}
    seen = inodes(image, image.files.values())
    distributions, owners = attribute(image, places, {place: entry.size for place, entry in seen.items()})
    own = base.layers if base else 0
    return Measured(
        reference=name or image.reference,
        digest=image.digest or image.id,
        dockerfile=dockerfile,
        base=base,
        layers=tuple(
            _layer(image, each, seen, line=(lines or {}).get(each.index, 0), base=each.index < own)
            for each in image.layers
        ),
        distributions=distributions,
        waste=wasted(image, seen),
        problems=image.problems,
        files=tuple(
            Counted(entry.path, entry.size, place[0], filekind(entry.path, entry.mode), owners.get(place, NO_OWNER))
            for place, entry in seen.items()
        ),
    )


def _layer(image: Image, layer: Layer, seen: Mapping[Inode, Entry], *, line: int, base: bool) -> LayerSize:
    files = held(image, layer)
    step = image.history[layer.history].created_by if layer.history >= 0 else ""
    return LayerSize(
        index=layer.index,
        diff_id=layer.diff_id,
        instruction=instruction(step),
        line=line,
        base=base,
        files=len(files),
        bytes=sum(entry.size for entry in files.values()),
        hidden=sum(entry.size for place, entry in files.items() if place not in seen),
        compressed=None if layer.digest == layer.diff_id else layer.compressed,
    )


def pulled(layers: Iterable[LayerSize]) -> int | None:
    """Return what a pull of some layers costs; None where one of them is not compressed in the archive."""
    sizes = [each.compressed for each in layers]
    known = [each for each in sizes if each is not None]
    return sum(known) if len(known) == len(sizes) else None


def instruction(created_by: str) -> str:
    """Return a step of history as a Dockerfile has it, on one line."""
    step = created_by.strip().removesuffix(BUILDKIT)
    found = SHELL.match(step)
    if found:
        step = step[found.end() :] if found["nop"] else f"RUN {step[found.end() :]}"
    return " ".join(step.split())


def folders(measured: Measured, depth: int) -> tuple[Share, ...]:
    """Return the bytes below each folder of a depth, the largest first; each file counts in one of them."""
    return _shares(measured, lambda each: folder_of(each.path, depth))


def kinds(measured: Measured) -> tuple[Share, ...]:
    """Return the bytes of each kind of file, the largest first."""
    return _shares(measured, lambda each: each.kind)


def folder_of(path: str, depth: int) -> str:
    """Return the folder that a file is in, or the one of this depth above it."""
    return "/" + "/".join(posixpath.dirname(path).split("/")[1 : depth + 1])


def _shares(measured: Measured, name_of: Callable[[Counted], str]) -> tuple[Share, ...]:
    sizes, counts = Counter[str](), Counter[str]()
    for each in measured.files:
        name = name_of(each)
        sizes[name] += each.size
        counts[name] += 1
    shares = (Share(name=name, bytes=size, files=counts[name]) for name, size in sizes.items())
    return tuple(sorted(shares, key=lambda each: (-each.bytes, each.name)))
