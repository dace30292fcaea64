"""Which step of a build is which step of another one, whatever was edited between them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockyard.explain.nodes import Graph, Node

# How alike two texts must be to be taken for one that was edited.
ALIKE = 0.5


def stages(old: Graph, new: Graph) -> dict[int, int]:
    """Return the old stage of each new one that has one: by name, those without by their place from the end."""
    found: dict[int, int] = {}
    known = {stage.name: index for index, stage in enumerate(old.stages) if stage.name}
    for index, stage in enumerate(new.stages):
        if stage.name in known:
            found[index] = known[stage.name]
    unnamed = [[index for index, stage in enumerate(graph.stages) if not stage.name] for graph in (new, old)]
    found |= dict(zip(*(each[::-1] for each in unnamed), strict=False))
    _renamed(old, new, found)
    return found


def _renamed(old: Graph, new: Graph, found: dict[int, int]) -> None:
    """Pair stages of which only the name is another one."""
    free = {_texts(old, index): index for index in range(len(old.stages)) if index not in found.values()}
    for index in range(len(new.stages)):
        if index not in found and (texts := _texts(new, index)) in free and texts:
            found[index] = free.pop(texts)
    left_new = [index for index in range(len(new.stages)) if index not in found]
    left_old = [index for index in range(len(old.stages)) if index not in found.values()]
    # The last stage is the one that is built: it stays itself, whether it has a name or not.
    if left_new and left_old and left_new[-1] == len(new.stages) - 1 and left_old[-1] == len(old.stages) - 1:
        found[left_new[-1]] = left_old[-1]


def _texts(graph: Graph, stage: int) -> tuple[str, ...]:
    return tuple(node.text for node in graph.nodes if node.stage == stage)


def nodes(old: Graph, new: Graph) -> dict[str, str]:
    """Return the id of the old step of each new one that has one."""
    found: dict[str, str] = {}
    of_stage = stages(old, new)
    platforms = {_platform(node) for node in new.nodes}
    for platform in platforms:
        for new_stage, old_stage in of_stage.items():
            before = [each for each in old.nodes if each.stage == old_stage and _platform(each) == platform]
            after = [each for each in new.nodes if each.stage == new_stage and _platform(each) == platform]
            found |= {after[at].id: before[was].id for at, was in _paired(before, after).items()}
    return found


def _platform(node: Node) -> str:
    return node.id.partition("|")[0]


def _paired(before: Sequence[Node], after: Sequence[Node]) -> dict[int, int]:
    """Pair the steps of one stage by their texts; in a part that was edited, the most alike ones in their order."""
    matcher = difflib.SequenceMatcher(None, [e.text for e in before], [e.text for e in after], autojunk=False)
    found: dict[int, int] = {}
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag == "equal":
            found |= dict(zip(range(new_from, new_to), range(old_from, old_to), strict=True))
        elif tag == "replace":
            at = old_from
            same = new_to - new_from == old_to - old_from
            for index in range(new_from, new_to):
                was = _most_alike(before, after[index], range(at, old_to), least=0 if same else ALIKE)
                if was is not None:
                    found[index], at = was, was + 1
    return found


def _most_alike(before: Sequence[Node], node: Node, choice: range, *, least: float) -> int | None:
    likeness = {
        at: difflib.SequenceMatcher(None, before[at].text, node.text, autojunk=False).ratio()
        for at in choice
        if before[at].keyword == node.keyword
    }
    best = max(likeness, key=lambda at: likeness[at], default=None)
    return best if best is not None and likeness[best] >= least else None
