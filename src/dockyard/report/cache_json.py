"""Caches as JSON, in the forms that cache-1.schema.json and mounts-1.schema.json publish."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dockyard.cache.mounts import OWNED
from dockyard.report.documents import all_harmless

if TYPE_CHECKING:
    from dockyard.cache.archive import Carried
    from dockyard.cache.inventory import Inventory

# Rises with every change that a reader of the old form would stumble over.
VERSION = 1


def inventory_document(inventory: Inventory) -> Any:
    """Return what is kept, ready for `json.dumps`."""
    told = asdict(inventory)
    for plain, each in zip(told["kept"], inventory.kept, strict=True):
        plain["seconds_per_gigabyte"] = round(each.pays, 1)
    told["forecast"] |= {"branch": inventory.forecast.branch, "branches": inventory.forecast.branches}
    return all_harmless({"version": VERSION, **told})


def carried_document(carried: Carried) -> Any:
    """Return what of cache mounts was carried, ready for `json.dumps`."""
    told = {**asdict(carried), "path": str(carried.path)}
    for each in told["mounts"]:
        each["owner"] = {name: each["owner"].get(name) for name in OWNED}
    return all_harmless({"version": VERSION, **told})
