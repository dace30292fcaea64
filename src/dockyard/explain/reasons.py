"""Two builds -> for each step of the newer one the first cause that makes it another step, and the chain from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.explain import align
from dockyard.explain.cause import Cause, Kind
from dockyard.explain.changes import Changes

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.explain.nodes import Graph, Node
    from dockyard.explain.store import Store


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why a step is another one than before.

    Attributes:
        causes: What changed in it alone.
        through: The id of the step before it that is another one; empty if there is none.
        by_content: That step is one whose files it takes, and they may be the same.
    """

    causes: tuple[Cause, ...] = ()
    through: str = ""
    by_content: bool = False


class Reasons:
    """Compares two builds.

    Args:
        old: The older one.
        new: The newer one.
        store: Where the tables of files are.
        same_result: Whether a step was seen to be in the cache: then the files that it takes of others are the same.
    """

    def __init__(
        self,
        old: Graph,
        new: Graph,
        store: Store,
        *,
        same_result: Callable[[Node], bool],
    ) -> None:
        self.old = old
        self.new = new
        self.pairs = align.nodes(old, new)
        self._stages = align.stages(old, new)
        self._changes = Changes(old, new, store)
        self._same_result = same_result
        self._known: dict[str, Reason | None] = {}

    def was(self, node: Node) -> Node | None:
        """Return what a step was."""
        return self.old.by_id.get(self.pairs.get(node.id, ""))

    def of(self, node: Node) -> Reason | None:
        """Return why a step is another one, or None if it is the same."""
        if node.id not in self._known:
            self._known[node.id] = self._find(node)
        return self._known[node.id]

    def _find(self, node: Node) -> Reason | None:
        was = self.was(node)
        if was is not None and self.old.keys[was.id] == self.new.keys[node.id]:
            return None
        causes = self._changes.of(was, node) if was else [self._new(node)]
        before = next(filter(self.of, self.new.below(node)), None)
        if before is not None:
            if causes and self._same_result(before):
                # That one was in the cache, so that this one ran for what changed in it alone.
                return Reason(causes=tuple(causes))
            if not (node.loose and self._same_result(node)):
                return Reason(causes=tuple(causes), through=before.id, by_content=node.loose)
        elif not node.apart and was:
            causes = [*self._between(node, was), *causes]
        if causes:
            return Reason(causes=tuple(causes))
        taken = [each for each in node.sources if self.of(self.new.by_id[each])]
        if taken and not self._same_result(node):
            return Reason(through=taken[0], by_content=True)
        # Steps whose results were the same as before stand between the two keys.
        return None

    def _new(self, node: Node) -> Cause:
        stage = self.new.stages[node.stage]
        if node.stage not in self._stages:
            return Cause(kind=Kind.STAGE_ADDED, subject=stage.name or str(node.stage), line=stage.line)
        known = set(self.pairs.values())
        moved = any(each.text == node.text and each.id not in known for each in self.old.nodes)
        return Cause(kind=Kind.INSERTED, subject=node.printed, before="moved" if moved else "", line=node.line)

    def _between(self, node: Node, was: Node) -> list[Cause]:
        """Return what stood before a step, and does not any more."""
        parent = self.pairs.get(node.parent, "")
        if parent == was.parent or was.apart:
            return []
        gone: list[Node] = []
        at = self.old.by_id.get(was.parent)
        while at is not None and at.id != parent:
            gone.append(at)
            at = self.old.by_id.get(at.parent)
        removed = [each for each in gone if each.id not in self.pairs.values()]
        now, before = self.new.stages[node.stage], self.old.stages[was.stage]
        kept = set(self._stages.values())
        stages = {each.stage for each in removed if each.stage not in kept}
        causes = [Cause(kind=Kind.STAGE_REMOVED, subject=self.old.stages[each].name or str(each)) for each in stages]
        if now.base != before.base and not causes:
            causes = [Cause(kind=Kind.BASE, subject=now.base, before=before.base, after=now.base, line=now.line)]
        return (
            causes
            or [Cause(kind=Kind.REMOVED, subject=each.printed, line=each.line) for each in removed[:1]]
            or [Cause(kind=Kind.INSERTED, subject=node.printed, before="moved", line=node.line)]
        )

    def takes_others(self, node: Node) -> bool:
        """Whether a step takes other files from the context than before, or one that it stands on does."""
        at: Node | None = node
        while at is not None:
            was = self.was(at)
            if was is None or was.parts.get("files") != at.parts.get("files"):
                return at.keyword in ("COPY", "ADD")
            at = self.new.by_id.get(at.parent)
        return False

    def chain(self, node: Node) -> tuple[list[Node], Reason | None]:
        """Return the steps from a step down to the one with the first cause, itself first, and that one's reason."""
        path, reason = [node], self.of(node)
        while reason is not None and reason.through:
            path.append(self.new.by_id[reason.through])
            reason = self.of(path[-1])
        return path, reason
