"""What a builder and the project's folder keep, by what made it: its size, its age, and what it has saved."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dockyard.cache.known import flat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dockyard.cache.known import Known
    from dockyard.cache.mounts import CacheMount
    from dockyard.engines.cache import CacheRecord

LAYERS, MOUNTS, EXPORTED, RECORDS = "layers", "mounts", "exported", "records"
MOUNT_ID = re.compile(r'with id "(?P<id>[^"]*)"$')
STEP = re.compile(r"\[.*?\d+/\d+\] |mount / from exec ")
GIGABYTE = 10**9


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What is kept for one purpose.

    Attributes:
        kind: layers, mounts, exported or records.
        what: What made it.
        size: In bytes.
        count: How many results of it there are.
        uses: How often builds had it.
        age: Seconds since one had it last; None where nobody knows.
        saved: Seconds that it has saved, by the records of builds.
        ids: Of BuildKit's records.
    """

    kind: str
    what: str
    size: int
    count: int = 1
    uses: int = 0
    age: int | None = None
    saved: float = 0.0
    ids: tuple[str, ...] = field(default=(), repr=False)

    @property
    def pays(self) -> float:
        """Seconds saved for each gigabyte."""
        return self.saved / (self.size / GIGABYTE) if self.size else 0.0


def layers(records: Sequence[CacheRecord], steps: Mapping[str, Known]) -> tuple[Kept, ...]:
    """Return what the project's steps left: known by their text, and standing on nothing but a base and each other."""
    by_id = {each.id: each for each in records}
    ours: dict[str, bool] = {}
    found: dict[str, Kept] = {}
    for each in records:
        description = flat(each.description)
        if description in steps and _ours(each, by_id, steps, ours):
            known = steps[description]
            new = Kept(kind=LAYERS, what=known.name, size=0, count=0, age=each.age, saved=known.saved)
            found[description] = _with(found.get(description, new), each)
    return tuple(found.values())


def _with(kept: Kept, record: CacheRecord) -> Kept:
    ages = [age for age in (kept.age, record.age) if age is not None]
    return replace(
        kept,
        size=kept.size + record.size,
        count=kept.count + 1,
        uses=kept.uses + record.uses,
        age=min(ages, default=None),
        ids=(*kept.ids, record.id),
    )


def _ours(
    record: CacheRecord, by_id: Mapping[str, CacheRecord], steps: Mapping[str, Known], decided: dict[str, bool]
) -> bool:
    """Whether a result and every step that it stands on has a text of ours; a base has none."""
    waiting, seen = [record.id], set[str]()
    while waiting:
        at = waiting.pop()
        one = by_id.get(at)
        if at in seen or one is None:
            continue
        if decided.get(at) is False:
            break
        seen.add(at)
        if STEP.match(one.description) and flat(one.description) not in steps:
            decided[at] = False
            break
        waiting += one.parents
    else:
        return True
    decided[record.id] = False
    return False


def mounts(records: Iterable[CacheRecord], wanted: Sequence[CacheMount], namespace: str = "") -> Iterator[Kept]:
    """Yield what is in the project's cache mounts.

    What a mount has saved nobody can tell: a step that ran may have been quick for its sake, or for another reason.

    Args:
        records: All that the builder keeps.
        wanted: The mounts of the Dockerfile.
        namespace: The value of BUILDKIT_CACHE_MOUNT_NS.
    """
    there = [each for each in records if each.target]
    for mount in wanted:
        for each in there:
            found = MOUNT_ID.search(each.description)
            if (found["id"] if found else each.target) == f"{namespace}/{mount.id}":
                yield Kept(kind=MOUNTS, what=mount.id, size=each.size, uses=each.uses, age=each.age, ids=(each.id,))


def folders(kind: str, found: Mapping[str, Path]) -> Iterator[Kept]:
    """Yield what is in folders, by what each is called; those that are not there have nothing."""
    for what, folder in found.items():
        files = [each.lstat() for each in folder.rglob("*") if not each.is_dir()] if folder.is_dir() else []
        if files:
            newest = max(each.st_mtime for each in files)
            size = sum(each.st_size for each in files)
            yield Kept(kind=kind, what=what, size=size, count=len(files), age=max(int(time.time() - newest), 0))
