"""An image's size as JSON, in the form that size-1.schema.json publishes.

Every figure is in bytes, and nothing is left out but the names of files that are not wasted.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dockyard.report.documents import all_harmless
from dockyard.size import folders, kinds

if TYPE_CHECKING:
    from dockyard.size import Comparison, Measured, Share, Sized, Waste

# Rises with every change that a reader of the old form would stumble over.
VERSION = 1


def document(sized: Sized, *, depth: int) -> Any:
    """Return the result, ready for `json.dumps`."""
    measured = sized.measured
    told = {
        "version": VERSION,
        "image": measured.reference,
        "digest": measured.digest,
        "dockerfile": measured.dockerfile,
        "total": measured.total,
        "files": len(measured.files),
        "compressed": measured.compressed,
        "base": asdict(measured.base) if measured.base else None,
        "over_base": measured.over_base,
        "hidden": measured.hidden,
        "layers": [asdict(each) for each in measured.layers],
        "distributions": [asdict(each) | {"bytes": each.bytes} for each in measured.distributions],
        "unrecorded": _share(measured.unrecorded),
        "folders": [_share(each) for each in folders(measured, depth)],
        "kinds": [_share(each) for each in kinds(measured)],
        "wasted": _waste(measured),
        "comparison": _comparison(sized.comparison) if sized.comparison else None,
        "breaches": [asdict(each) for each in sized.breaches],
        "problems": list(measured.problems),
    }
    return all_harmless(told)


def _share(share: Share) -> dict[str, Any]:
    return asdict(share)


def _waste(measured: Measured) -> dict[str, Any]:
    waste: Waste = measured.waste
    return {
        "total": waste.total,
        "overwritten": waste.of("overwritten"),
        "deleted": waste.of("deleted"),
        "duplicated": waste.duplicated,
        "hidden": [asdict(each) for each in waste.hidden],
        "duplicates": [asdict(each) | {"wasted": each.wasted} for each in waste.duplicates],
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "image": comparison.reference,
        "before": comparison.before,
        "after": comparison.after,
        "delta": comparison.delta,
        "download": comparison.download,
        "shared": [each.index for each in comparison.shared],
        "changes": [asdict(each) | {"delta": each.delta} for each in comparison.changes],
    }
