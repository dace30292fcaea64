"""What `invoke push` says: each tag, what was sent for it, and who signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockyard.push import Pushed, Record
    from dockyard.report.console import Console

VERSION = 1


def show(console: Console, record: Record, *, as_json: bool) -> None:
    """Print a push: its tags, then the name by which it is deployed."""
    if as_json:
        console.document({"version": VERSION, "push": record, "reference": reference(record)})
        return
    console.table(("tag", "was", "layers sent", "were there"), [_row(each) for each in record.tags])
    console.say("")
    if record.signature:
        console.note(record.signature, style="green" if record.signature.endswith("verified") else "yellow")
    console.say(reference(record))


def reference(record: Record) -> str:
    """Return the name that always means this image."""
    return f"{record.repository}@{record.digest}"


def _row(each: Pushed) -> tuple[str, ...]:
    was = "new" if not each.before else "the same" if each.before == each.digest else each.before[:19]
    return each.tag, was, str(each.sent), str(each.there)
