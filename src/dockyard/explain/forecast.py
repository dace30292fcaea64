"""What a build would do now, before it is built."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard.explain.cause import Cause, Kind
from dockyard.explain.reasons import Reasons
from dockyard.explain.records import last_seconds
from dockyard.explain.story import Explanation, Outcome, StepStory, begun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockyard.explain.nodes import Graph, Node
    from dockyard.explain.records import Record
    from dockyard.explain.store import Store


def forecast(
    graph: Graph,
    history: Sequence[Record],
    against: Record | None,
    store: Store,
    *,
    image: str,
) -> Explanation:
    """Say what a build would do.

    Args:
        graph: What would go in.
        history: The builds of the project, newest first.
        against: The build it is compared with; None if there is none.
        store: Where the tables of files are.
        image: What would be built.
    """
    seer = _Seer(graph, history, against, store)
    return Explanation(
        record="",
        against=against.name if against else "",
        image=image,
        dockerfile=graph.dockerfile,
        steps=tuple(seer.story(node) for node in graph.nodes if node.keyword != "FROM"),
    )


class _Seer:
    """Knows what was built before, and thus what is in the cache."""

    def __init__(self, graph: Graph, history: Sequence[Record], against: Record | None, store: Store) -> None:
        self._graph = graph
        self._history = history
        self._against = against
        of_builder = [each for each in history if each.graph.builder == graph.builder]
        self._known = {key for each in of_builder for key in each.by_key}
        self._outcomes: dict[str, Outcome] = {}
        self._reasons: Reasons | None = None
        if against is not None:
            self._reasons = Reasons(against.graph, graph, store, same_result=lambda _: False)

    def story(self, node: Node) -> StepStory:
        outcome = self._outcome(node)
        story = begun(node, outcome)
        if outcome is Outcome.CACHED:
            return story
        path, causes = self._why(node)
        chain = tuple(each.label for each in path[1:])
        return replace(story, seconds=last_seconds(node, self._history), causes=causes, chain=chain)

    def _outcome(self, node: Node) -> Outcome:
        if node.id not in self._outcomes:
            self._outcomes[node.id] = self._foresee(node)
        return self._outcomes[node.id]

    def _foresee(self, node: Node) -> Outcome:
        """A step whose files come from one that runs may find them as they were; only running that one tells."""
        # BuildKit takes WORKDIR from the cache even where it is told not to.
        if self._graph.keys[node.id] in self._known and (self._graph.cache or node.keyword == "WORKDIR"):
            return Outcome.MAY_RUN if self._other_caches(node) else Outcome.CACHED
        if not self._graph.cache or self._reasons is None:
            return Outcome.WILL_RUN
        reason = self._reasons.of(node)
        if node.keyword == "FROM":
            return Outcome.WILL_RUN if reason else Outcome.CACHED
        if reason is not None and reason.causes:
            return Outcome.WILL_RUN
        before = self._before(node)
        taken = [self._outcome(self._graph.by_id[each]) for each in node.sources]
        unsure = before is Outcome.MAY_RUN or any(each is not Outcome.CACHED for each in taken)
        return Outcome.MAY_RUN if unsure and before is not Outcome.WILL_RUN else Outcome.WILL_RUN

    def _other_caches(self, node: Node) -> bool:
        """Whether a cache mount has another name or sharing: BuildKit runs a step again for that at times."""
        was = self._reasons.was(node) if self._reasons else None
        return was is not None and was.told.get("caches") != node.told.get("caches")

    def _before(self, node: Node) -> Outcome:
        """Return what the step before one does, as far as it makes that one run."""
        below = self._graph.below(node)
        found = {self._outcome(each) for each in below}
        if node.loose and self._reasons and not any(map(self._reasons.takes_others, below)):
            found = {Outcome.MAY_RUN if each is Outcome.WILL_RUN else each for each in found}
        return next((each for each in (Outcome.WILL_RUN, Outcome.MAY_RUN) if each in found), Outcome.CACHED)

    def _why(self, node: Node) -> tuple[list[Node], tuple[Cause, ...]]:
        if not self._graph.cache:
            return [node], (Cause(kind=Kind.NO_CACHE),)
        if self._reasons is None or self._against is None:
            return [node], (Cause(kind=Kind.FIRST),)
        if self._against.graph.builder != self._graph.builder:
            before, after = self._against.graph.builder, self._graph.builder
            return [node], (Cause(kind=Kind.BUILDER, before=before, after=after),)
        path, reason = self._reasons.chain(node)
        if reason is None and self._other_caches(node):
            return path, (Cause(kind=Kind.EDITED, subject=node.printed, line=node.line),)
        return path, reason.causes if reason else (Cause(kind=Kind.PRUNED),)
