"""A build's record and an older one -> why each step ran, or did not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard.explain.cause import Cause, Kind
from dockyard.explain.hints import hints
from dockyard.explain.reasons import Reasons
from dockyard.explain.story import Explanation, Note, Outcome, StepStory, begun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockyard.explain.nodes import Node
    from dockyard.explain.records import Record
    from dockyard.explain.store import Store


def tell(record: Record, against: Record | None, store: Store, *, history: Sequence[Record] = ()) -> Explanation:
    """Explain a build.

    Args:
        record: The build.
        against: The one it is compared with; None if there is none.
        store: Where the tables of files are.
        history: Builds, newest first, from which it is learned what changes often.
    """
    teller = _Teller(record, against, store)
    graph = record.graph
    return Explanation(
        record=record.name,
        against=against.name if against else "",
        image=record.image,
        dockerfile=graph.dockerfile,
        steps=tuple(teller.story(node) for node in graph.nodes if node.keyword != "FROM"),
        hints=hints(graph, history),
    )


class _Teller:
    """Tells of the steps of one build."""

    def __init__(self, record: Record, against: Record | None, store: Store) -> None:
        self._record = record
        self._against = against
        self._reasons: Reasons | None = None
        if against is not None:
            self._reasons = Reasons(against.graph, record.graph, store, same_result=self._cached)

    def story(self, node: Node) -> StepStory:
        step = self._record.step(node)
        if step is None:
            return begun(node, Outcome.SKIPPED)
        if step.cached:
            note, about = self._note(node)
            return replace(begun(node, Outcome.CACHED), note=note, about=about)
        path, causes = self._why(node)
        chain = tuple(each.label for each in path[1:])
        return replace(begun(node, Outcome.RAN), seconds=step.seconds, causes=causes, chain=chain)

    def _cached(self, node: Node) -> bool:
        step = self._record.step(node)
        return step is not None and step.cached

    def _ran(self, node: Node) -> bool:
        step = self._record.step(node)
        return step is not None and not step.cached

    def _why(self, node: Node) -> tuple[list[Node], tuple[Cause, ...]]:
        """Return the steps down to the one with the first cause, and that."""
        graph, against, reasons = self._record.graph, self._against, self._reasons
        if not graph.cache:
            return [node], (Cause(kind=Kind.NO_CACHE),)
        if against is None or reasons is None:
            return [node], (Cause(kind=Kind.FIRST),)
        if against.graph.builder != graph.builder:
            return [node], (Cause(kind=Kind.BUILDER, before=against.graph.builder, after=graph.builder),)
        path, reason = reasons.chain(node)
        if reason is not None:
            return path, reason.causes
        for before in (*graph.below(node), *(graph.by_id[each] for each in node.sources)):
            if before.keyword != "FROM" and self._ran(before):
                further, causes = self._why(before)
                return [node, *further], causes
        return [node], (self._unchanged(node),)

    def _unchanged(self, node: Node) -> Cause:
        """Return why a step ran in which nothing changed."""
        was = self._reasons.was(node) if self._reasons else None
        if was and was.told.get("caches") != node.told.get("caches"):
            return Cause(kind=Kind.EDITED, subject=node.printed, before=was.text, after=node.text, line=node.line)
        if node.told.get("remote"):
            return Cause(kind=Kind.REMOTE, subject=node.told["remote"][0])
        if was and was.told.get("folders") != node.told.get("folders"):
            return Cause(kind=Kind.MODE, subject=" ".join(node.parts.get("sources", ())))
        base = self._moved_base(node)
        return base or Cause(kind=Kind.PRUNED)

    def _moved_base(self, node: Node) -> Cause | None:
        """Return that the base has another digest, where its layers are the same and something else may not be."""
        graph = self._record.graph
        at: Node | None = node
        while at is not None and at.keyword != "FROM":
            at = graph.by_id.get(at.parent)
        was = self._reasons.was(at) if self._reasons and at else None
        if at is None or was is None or was.parts["digest"] == at.parts["digest"]:
            return None
        subject = at.told["reference"].partition("@")[0]
        return Cause(kind=Kind.BASE, subject=subject, before=was.parts["digest"], after=at.parts["digest"])

    def _note(self, node: Node) -> tuple[Note | None, tuple[str, ...]]:
        """Return what is worth a word at a step that was cached."""
        graph = self._record.graph
        if self._against is None or self._reasons is None:
            return (Note.KNOWN, ()) if self._against is None else (None, ())
        before, marks = self._against.graph.secrets, node.parts.get("marks", {})
        unmarked = (each for each in node.told.get("secrets", ()) if each not in marks)
        changed = tuple(each for each in unmarked if before.get(each) != graph.secrets.get(each))
        if changed:
            return Note.SECRET, changed
        touched = tuple(node.told.get("touched", ()))
        if self._reasons.of(node) is not None:
            return Note.KNOWN, ()
        taken = [graph.by_id[each] for each in (*([node.parent] if node.loose else []), *node.sources)]
        others = tuple(each.label for each in taken if self._reasons.of(each))
        if others:
            return Note.SAME_RESULT, others
        return (Note.TOUCHED, touched) if touched else (None, ())
