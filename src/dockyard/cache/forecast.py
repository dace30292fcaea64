"""What the caches would take of GitHub's quota, if every Python of every branch kept its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.cache.kept import LAYERS, MOUNTS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dockyard.cache.kept import Kept
    from dockyard.engines.cache import CacheRecord

# What GitHub keeps of a repository for nothing; beyond it goes what was not used for longest.
QUOTA = 10 * 10**9


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What would be kept for one branch.

    Attributes:
        layers: Of one Python, in bytes: what an export of it has, or else all results of its last build as they are.
        mounts: What is in the cache mounts, in bytes.
        pythons: How many Pythons there are.
        measured: Whether an export was measured; if not, compression makes it less.
    """

    layers: int
    mounts: int
    pythons: int
    measured: bool
    quota: int = QUOTA

    @property
    def branch(self) -> int:
        """Bytes of one branch."""
        return (self.layers + self.mounts) * self.pythons

    @property
    def branches(self) -> int:
        """How many branches have room."""
        return self.quota // self.branch if self.branch else 0


def forecast(
    kept: Sequence[Kept],
    records: Mapping[str, CacheRecord],
    *,
    last: Collection[str],
    pythons: int,
    exported: int,
) -> Forecast:
    """Return what the caches of one branch would take.

    Args:
        kept: The layers and mounts of the project.
        records: All that the builder keeps, by id.
        last: The names of the last build's steps: an export has what that build has, and nothing older.
        pythons: How many Pythons are built.
        exported: Bytes of an export of one Python; 0 if there is none.
    """
    newest = [
        min((records[each] for each in one.ids), key=lambda each: each.age or 0).size
        for one in kept
        if one.kind == LAYERS and one.what in last
    ]
    inside = sum(each.size for each in kept if each.kind == MOUNTS)
    return Forecast(layers=exported or sum(newest), mounts=inside, pythons=pythons, measured=bool(exported))
