"""Two builds without cache, from copies that differ in all that should not matter, compared by digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard import reproduce
from dockyard.audit.evidence import Missing
from dockyard.audit.trials import Twice

if TYPE_CHECKING:
    from dockyard.build.workshop import Workshop

SHOWN = 20


def rebuild(shop: Workshop) -> Twice | Missing:
    """Build twice without the layer cache, and name the files that differ if the digests do."""
    if not shop.archives():
        return Missing("Only containerd's image store, or a builder of its own, writes images with their own times.")
    found = reproduce.build_twice(shop).comparison
    told = [f"{each.subject}: {each.seen.detail}".removeprefix(": ") for each in found.differences[:SHOWN]]
    return Twice(digests=found.digests, differing=tuple(told))
