"""An explained build as JSON, in the form that explain-1.schema.json publishes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dockyard.report.documents import all_harmless
from dockyard.report.explain_words import reason

if TYPE_CHECKING:
    from dockyard.explain import Explanation

# Rises with every change that a reader of the old form would stumble over.
VERSION = 1


def document(explanation: Explanation) -> Any:
    """Return an explanation, ready for `json.dumps`; `why` is its words."""
    steps = [{**asdict(step), "why": reason(step, explanation.dockerfile)} for step in explanation.steps]
    told = {
        "version": VERSION,
        **asdict(explanation),
        "steps": steps,
        "unused": [{"file": name, "reason": why} for name, why in explanation.unused],
        "seconds": explanation.seconds,
    }
    return all_harmless(told)
