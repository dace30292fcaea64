"""All that is kept for a project, and what of it goes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.cache.kept import EXPORTED, LAYERS, MOUNTS

if TYPE_CHECKING:
    from dockyard.cache.forecast import Forecast
    from dockyard.cache.kept import Kept


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """What is kept.

    Attributes:
        project: Its image's name.
        builder: The builder that was asked.
        total: All that the builder keeps, in bytes, whoever it is of.
        builds: How many recorded builds the steps are known from.
    """

    project: str
    builder: str
    kept: tuple[Kept, ...]
    total: int
    builds: int
    forecast: Forecast

    @property
    def size(self) -> int:
        """Bytes of all that is of this project."""
        return sum(each.size for each in self.kept)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What is to go.

    Attributes:
        older: Only what no build had for so many seconds.
        keep: Only as much as brings the project down to so many bytes; None is all of it.
        layers: BuildKit's own records too.
    """

    older: int = 0
    keep: int | None = None
    layers: bool = False


def chosen(inventory: Inventory, policy: Policy) -> tuple[Kept, ...]:
    """Return what goes, first what saves least for its size, and of equals what was not used for longest."""
    kinds = (MOUNTS, EXPORTED, *([LAYERS] if policy.layers else []))
    may_go = [each for each in inventory.kept if each.kind in kinds and each.size and (each.age or 0) >= policy.older]
    left, going = inventory.size, []
    for each in sorted(may_go, key=lambda each: (each.pays, -(each.age or 0))):
        if policy.keep is not None and left <= policy.keep:
            break
        going.append(each)
        left -= each.size
    return tuple(going)
