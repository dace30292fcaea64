"""Steps that stand before costly ones which do not use them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard.explain.installers import is_installer
from dockyard.explain.records import last_seconds
from dockyard.explain.story import Hint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockyard.explain.nodes import Graph, Node
    from dockyard.explain.records import Record

COSTLY = 5.0
# Files that name what is to be installed.
LIST = re.compile(r"\.(?:txt|toml|lock|json|mod|sum|ya?ml)$")
WORD = re.compile(r"[\w./-]+")


def hints(graph: Graph, history: Sequence[Record]) -> tuple[Hint, ...]:
    """Return what could be moved: a COPY that changed between builds, and stands before an installer.

    Args:
        graph: The build.
        history: Builds, newest first.
    """
    return tuple(_hints(graph, history))


def _hints(graph: Graph, history: Sequence[Record]) -> Iterator[Hint]:
    for costly in graph.nodes:
        seconds = last_seconds(costly, history) if is_installer(costly) else 0.0
        if seconds < COSTLY:
            continue
        above = list(_above(graph, costly))
        for before in above:
            others = [each for each in above if each is not before]
            alone = _needless(costly, before, others) if _changes(before, history) else None
            if alone is not None:
                yield Hint(
                    step=before.text,
                    line=before.line,
                    costly=costly.text,
                    costly_line=costly.line,
                    seconds=seconds,
                    alone=" ".join(alone),
                )
                break


def _above(graph: Graph, node: Node) -> Iterator[Node]:
    """Yield the COPYs from the context that a step stands on, the highest first."""
    found = []
    at = graph.by_id.get(node.parent)
    while at is not None:
        if at.keyword in ("COPY", "ADD") and at.parts.get("files"):
            found.append(at)
        at = graph.by_id.get(at.parent)
    yield from reversed(found)


def _needless(costly: Node, before: Node, others: Sequence[Node]) -> list[str] | None:
    """Return the files that a command needs of a COPY of the whole context; None if it may need all of a COPY.

    It may where its words name a source or the target of that COPY, or a list that no other COPY brings.
    """
    words = {each.removeprefix("./") for each in WORD.findall(costly.text)}
    parts = {part for each in words for part in each.split("/") if part}
    sources = [str(each) for each in before.parts["sources"]]
    own = {each.rstrip("/").rpartition("/")[2] for each in (*sources, str(before.parts["target"]))}
    brought = {str(each).rpartition("/")[2] for other in others for each in other.parts["sources"]}
    lists = {each for each in words if LIST.search(each) and each.rpartition("/")[2] not in brought}
    if (own - {""}) & parts:
        return None
    if "" in sources:
        return sorted(lists)
    return None if lists else []


def _changes(node: Node, history: Sequence[Record]) -> bool:
    """Whether other builds took other files in this step."""
    digests = {
        tuple(each.parts["files"])
        for record in history
        for each in record.graph.nodes
        if each.text == node.text and each.parts.get("files")
    }
    return len(digests) > 1
