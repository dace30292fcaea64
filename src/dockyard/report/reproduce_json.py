"""What two images differ in as JSON, in the form that reproduce-1.schema.json publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dockyard.report.documents import all_harmless

if TYPE_CHECKING:
    from dockyard.reproduce import Difference, Rebuilt

# Rises with every change that a reader of the old form would stumble over.
VERSION = 1


def document(rebuilt: Rebuilt, *, against: str) -> Any:
    """Return what came of it, ready for `json.dumps`."""
    found = rebuilt.comparison
    told = {
        "version": VERSION,
        "equal": found.alike if against else not found.differences,
        "against": against or None,
        "digests": list(found.digests),
        "seconds": [round(each, 1) for each in rebuilt.seconds],
        "differences": [_difference(each) for each in found.differences],
    }
    return all_harmless(told)


def _difference(each: Difference) -> dict[str, Any]:
    place = each.place
    return {
        "layer": place.layer if place else None,
        "line": (place.line or None) if place else None,
        "instruction": place.instruction if place else None,
        "stage": (place.source or None) if place else None,
        "subject": each.subject,
        "how": each.seen.how.value,
        "detail": each.seen.detail,
        "diff": list(each.seen.diff),
        "remedy": each.remedy,
    }
