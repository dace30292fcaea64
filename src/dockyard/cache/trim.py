"""A tar of a cache mount, made smaller: the oldest of what can go without making the rest wrong."""

from __future__ import annotations

import re
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# uv: one distribution, unpacked, which it fetches anew if it is gone. pip: one answer of the index, in two files.
DISTRIBUTION = re.compile(r"(archive-v\d+/[^/]+)(/.*)?")
ANSWER = re.compile(r"(http(-v\d+)?/.+?)(\.body)?")


@dataclass(kw_only=True)
class Unit:
    """What goes together or not at all.

    Attributes:
        age: When it was put there, in seconds since 1970.
    """

    size: int = 0
    age: float = 0.0


@dataclass(kw_only=True)
class Contents:
    """What a tar holds."""

    units: dict[str, Unit] = field(default_factory=dict)
    links: list[tuple[str, str]] = field(default_factory=list)

    @property
    def size(self) -> int:
        """All bytes of its files."""
        return sum(each.size for each in self.units.values())


def unit_of(name: str) -> str:
    """Return which unit a member belongs to; what no installer's order is known of goes with all beside it."""
    path = name.removeprefix("./")
    known = DISTRIBUTION.fullmatch(path) or ANSWER.fullmatch(path)
    return known[1] if known else path.partition("/")[0]


def contents(archive: Path) -> Contents:
    """Read what a tar holds."""
    found = Contents()
    with tarfile.open(archive, "r|") as stream:
        for member in stream:
            name = unit_of(member.name)
            unit = found.units.setdefault(name, Unit())
            unit.size += member.size if member.isreg() else 0
            # A folder's own time is when it was put there; files keep the times that they were packed with.
            unit.age = max(unit.age, member.mtime if name == member.name.removeprefix("./") or not unit.age else 0)
            if member.islnk() and unit_of(member.linkname) != name:
                found.links.append((name, unit_of(member.linkname)))
    return found


def chosen(mounts: Sequence[Contents], most: int) -> list[set[str]]:
    """Return for each mount what goes, the oldest of all first, until the rest is no more than so many bytes."""
    gone: list[set[str]] = [set() for _ in mounts]
    left = sum(each.size for each in mounts)
    ages = [
        (unit.age, index, name) for index, each in enumerate(mounts) for name, unit in each.units.items() if unit.size
    ]
    for _, index, name in sorted(ages):
        if left <= most:
            break
        for also in _with_links(mounts[index], name) - gone[index]:
            gone[index].add(also)
            left -= mounts[index].units[also].size
    return gone


def _with_links(mount: Contents, name: str) -> set[str]:
    """Return a unit and all that would lose files with it."""
    found, waiting = set[str](), [name]
    while waiting:
        at = waiting.pop()
        if at not in found:
            found.add(at)
            waiting += [one for one, other in mount.links if other == at]
    return found


def without(archive: Path, gone: set[str]) -> None:
    """Write a tar anew without some units."""
    if not gone:
        return
    smaller = archive.with_name(f"{archive.name}.smaller")
    with tarfile.open(archive, "r|") as old, tarfile.open(smaller, "w|", format=tarfile.PAX_FORMAT) as new:
        for member in old:
            if unit_of(member.name) not in gone:
                new.addfile(member, old.extractfile(member) if member.isreg() else None)
    smaller.replace(archive)
