"""Pins and locks as JSON, in the forms that pin-1.schema.json and locks-1.schema.json publish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dockyard.report.documents import all_harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockyard.pin import Compiled, Outcome
    from dockyard.sbom import Comparison

# Rises with every change that a reader of the old form would stumble over.
VERSION = 1


def bases_document(outcomes: Sequence[Outcome], file: str) -> Any:
    """Return how bases stand, ready for `json.dumps`."""
    return all_harmless({"version": VERSION, "file": file, "bases": [_base(each) for each in outcomes]})


def _base(each: Outcome) -> dict[str, Any]:
    pin = each.pin
    return {
        "reference": each.reference,
        "state": each.state,
        "detail": each.detail,
        "digest": pin.digest if pin else None,
        "platform": pin.platform if pin else None,
        "pinned": f"{pin.pinned}" if pin else None,
        "age": each.age if pin else None,
        "stale": each.stale,
        "assembled": pin.assembled if pin else None,
        "system": pin.system if pin else None,
        "python": pin.python if pin else None,
        "moved": {
            "facts": [dict(zip(("what", "old", "new"), one, strict=True)) for one in each.moved.facts],
            **_compared(each.moved.packages),
        }
        if each.moved
        else None,
        "ends": [
            {"what": end.what, "regular": f"{end.regular}", "lts": f"{end.lts}" if end.lts else None, "days": end.days}
            for end in each.ends
        ],
        "problems": each.problems,
    }


def _compared(comparison: Comparison) -> dict[str, Any]:
    changes = [
        {"how": one.how, "kind": one.kind, "name": one.name, "old": one.old, "new": one.new}
        for one in comparison.changes
    ]
    return {"changes": changes, "same": comparison.same}


def locks_document(compiled: Sequence[Compiled], *, cooldown: int, written: bool) -> Any:
    """Return how locks changed, ready for `json.dumps`."""
    locks = [
        {
            "name": each.name,
            "differs": each.differs,
            **_compared(each.changes),
            "files": [{"name": name, "new": came, "gone": gone} for name, (came, gone) in each.files.items()],
        }
        for each in compiled
    ]
    return all_harmless({"version": VERSION, "cooldown": cooldown, "written": written, "locks": locks})
