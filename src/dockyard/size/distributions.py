"""Which Python distribution a file is of: the one whose RECORD names it."""

from __future__ import annotations

import csv
import posixpath
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.image import Image
    from dockyard.size.inodes import Inode

KEPT = re.compile(r".*\.dist-info/(METADATA|RECORD)", re.DOTALL)
RECORD = re.compile(r"(?P<place>.*)/(?P<name>[^/]+?)-(?P<version>[^/-]+)\.dist-info/RECORD", re.DOTALL)
FIELD = re.compile(rb"^(Name|Version):[ \t]*(\S+)", re.MULTILINE)
BYTECODE = re.compile(r"(?P<folder>.*/)__pycache__/(?P<stem>[^/]+?)\.[^/.]+(\.opt-\d)?\.pyc", re.DOTALL)
PACKAGES = re.compile(r".*/(site|dist)-packages/.*", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One installed distribution.

    Attributes:
        place: The folder that it is installed in.
        layer: That brought its RECORD.
        files: How many of the files that RECORD names are there and counted nowhere else.
        recorded: Their bytes.
        bytecode: Bytes of what was compiled of its sources and RECORD does not name.
    """

    name: str
    version: str
    place: str
    layer: int
    files: int = 0
    recorded: int = 0
    bytecode: int = 0

    @property
    def bytes(self) -> int:
        """What it costs."""
        return self.recorded + self.bytecode

    @property
    def key(self) -> str:
        """Its name as indexes compare names."""
        return normalised(self.name)


def keeps(path: str, *_: object) -> bool:
    """Whether a file's bytes are needed here: what `dockyard.image.read` takes as `keep`."""
    return KEPT.fullmatch(path) is not None


def normalised(name: str) -> str:
    """Return a distribution's name as indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_package_file(path: str) -> bool:
    """Whether a file is where distributions are installed."""
    return PACKAGES.fullmatch(path) is not None


def attribute(
    image: Image, places: Mapping[str, Inode], sizes: Mapping[Inode, int]
) -> tuple[tuple[Distribution, ...], Mapping[Inode, int]]:
    """Return the distributions, the largest first, and which of them each file is of.

    Args:
        image: Read with `keeps`.
        places: Path to inode, of every file that a container sees.
        sizes: Bytes of those.
    """
    found: list[Distribution] = []
    owners: dict[Inode, int] = {}
    for path in sorted(each for each in image.contents if RECORD.fullmatch(each)):
        # What two of them name is counted once, for the first.
        named = {places[each] for each in _named(image, path) if each in places} - owners.keys()
        one = _described(image, path)
        found.append(replace(one, files=len(named), recorded=sum(sizes[each] for each in named)))
        owners |= dict.fromkeys(named, len(found) - 1)
    compiled = _compiled(places, owners)
    bytecode: Counter[int] = Counter()
    for place, owner in compiled.items():
        bytecode[owner] += sizes[place]
    order = sorted(range(len(found)), key=lambda at: (-found[at].recorded - bytecode[at], found[at].key))
    rank = {old: new for new, old in enumerate(order)}
    return (
        tuple(replace(found[old], bytecode=bytecode[old]) for old in order),
        {place: rank[owner] for place, owner in (owners | compiled).items()},
    )


def _described(image: Image, record: str) -> Distribution:
    """Return what METADATA says, or else the folder's name."""
    parts = RECORD.fullmatch(record)
    told = {"name": parts["name"], "version": parts["version"], "place": parts["place"]} if parts else {}
    metadata = image.contents.get(f"{posixpath.dirname(record)}/METADATA", b"").partition(b"\n\n")[0]
    fields = {field.decode().lower(): value.decode("utf-8", "replace") for field, value in FIELD.findall(metadata)}
    return Distribution(**(told | fields), layer=image.files[record].layer)


def _named(image: Image, record: str) -> Iterator[str]:
    """Yield the paths that a RECORD names, through links of their folders."""
    above = posixpath.dirname(posixpath.dirname(record))
    lines = image.contents[record].decode("utf-8", "surrogateescape").splitlines()
    for row in csv.reader(lines):
        if row and row[0]:
            path = posixpath.normpath(posixpath.join(above, row[0]))
            found = image.files.get(path) or image.resolve(path)
            if found is not None and found.is_file:
                yield found.path


def _compiled(places: Mapping[str, Inode], owners: Mapping[Inode, int]) -> dict[Inode, int]:
    """Return the bytecode of files that a RECORD names, where no RECORD names it itself."""
    found = {}
    for path, place in places.items():
        parts = BYTECODE.fullmatch(path) if path.endswith(".pyc") and place not in owners else None
        source = places.get(f"{parts['folder']}{parts['stem']}.py") if parts else None
        if source is not None and source in owners:
            found[place] = owners[source]
    return found
