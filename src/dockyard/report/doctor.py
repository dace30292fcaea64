"""What `invoke doctor` saw, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockyard.report.console import Console
    from dockyard.run.examined import Examined


def show(console: Console, examined: Examined, *, as_json: bool) -> None:
    """Print everything that was looked at, the outermost first; the cause is null where none is known."""
    if not as_json:
        rows = [(each.subject, each.state, each.detail) for each in examined.lines]
        console.table(("what", "state", "detail"), rows)
        return
    found = examined.diagnosis
    told = [{"what": each.subject, "state": each.state, "detail": each.detail} for each in examined.lines]
    cause = found.cause or None if found else None
    console.document({"container": examined.name, "lines": told, "cause": cause})
