"""In what the files of two layers differ, as far as their names and rights tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.reproduce.difference import How, Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockyard.image import Entry, Layer

# What else an entry has, and how it is told.
FIELDS: tuple[tuple[How, str, Callable[[Entry], str]], ...] = (
    (How.LINK, "link to", lambda entry: entry.target or "nothing"),
    (How.MODE, "mode", lambda entry: f"{entry.mode:o}"),
    (How.OWNER, "owner", lambda entry: f"{entry.uid}:{entry.gid}"),
    (How.ATTRIBUTE, "security.capability", lambda entry: entry.capability.hex() or "none"),
    (How.MTIME, "mtime", lambda entry: str(entry.mtime)),
)


def differing(one: Layer, other: Layer) -> Iterator[tuple[str, Seen]]:
    """Yield the paths of two layers that differ, and how, in the order of the first one's tar.

    What only the other has follows, then removals of files, the order, and what no container sees.
    """
    told = False
    for path in [*one.entries, *(each for each in other.entries if each not in one.entries)]:
        for seen in how(one.entries.get(path), other.entries.get(path)):
            told = True
            yield path, seen
    for removed, what in ((one.whiteouts ^ other.whiteouts, "removes it"), (one.opaque ^ other.opaque, "empties it")):
        for path in sorted(removed):
            told = True
            first = path in one.whiteouts | one.opaque
            detail = f"only the {'first' if first else 'other'} {what}"
            yield path, Seen(how=How.EXTRA if first else How.MISSING, detail=detail)
    if told:
        return
    orders = list(one.entries), list(other.entries)
    at = next((number for number, pair in enumerate(zip(*orders, strict=True)) if pair[0] != pair[1]), None)
    if at is not None:
        detail = f"its files are equal; number {at + 1} in the tar is {orders[0][at]} and {orders[1][at]}"
        yield "", Seen(how=How.ORDER, detail=detail)
    else:
        yield (
            "",
            Seen(how=How.HEADERS, detail="its files are equal; names of owners or other attributes are not"),
        )


def how(one: Entry | None, other: Entry | None) -> Iterator[Seen]:
    """Yield in what two entries differ; of content, only that it does."""
    if one is None or other is None:
        yield Seen(how=How.EXTRA if one else How.MISSING, detail=f"only in the {'first' if one else 'other'}")
        return
    if one.kind != other.kind:
        yield Seen(how=How.KIND, detail=f"{one.kind} and {other.kind}")
    elif one.sha256 != other.sha256 or one.size != other.size:
        yield Seen(how=How.CONTENT, detail=f"content of {one.size} and {other.size} bytes")
    for kind, name, told in FIELDS:
        if told(one) != told(other):
            yield Seen(how=kind, detail=f"{name} {told(one)} and {told(other)}")
