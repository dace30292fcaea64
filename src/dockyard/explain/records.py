"""The records of builds, read back: what went in, and what each step did."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dockyard.build import Step
from dockyard.errors import SettingsError
from dockyard.explain import nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dockyard.explain.nodes import Graph, Node
    from dockyard.state import State

BUILDS = "builds"
LABEL = re.compile(r"^\[(?P<label>[^\]]*?)\s*(?P<number>\d+)/(?P<total>\d+)\] (?P<instruction>.*)", re.DOTALL)
TRIGGER = "ONBUILD "
FIELDS = ("name", "inputs", "started", "completed", "cached", "error", "log")


@dataclass(frozen=True, kw_only=True)
class Record:
    """One build.

    Attributes:
        name: Of its file, for instance `20261123T051305.731965Z-py3.12`.
        graph: What went in.
        steps: What was done, by label.
    """

    name: str
    image: str
    graph: Graph
    steps: Mapping[str, Step]

    @cached_property
    def by_key(self) -> dict[str, Step]:
        """The steps by a model of their cache key: BuildKit runs equal ones of several stages once."""
        graph = self.graph
        return {graph.keys[node.id]: self.steps[node.label] for node in graph.nodes if node.label in self.steps}

    def step(self, node: Node) -> Step | None:
        """Return what was done for a step, or None if nothing was."""
        return self.steps.get(node.label) or self.by_key.get(self.graph.keys[node.id])


def labelled(steps: Iterable[Step]) -> dict[str, Step]:
    """Return the steps of the Dockerfile by what BuildKit prints in brackets.

    A COPY --link has two under one label: its own, and one that puts its files over the others. Newer releases call the
    triggers of a base so, and count them among all steps of the stage.
    """
    found: dict[str, Step] = {}
    labels = [(match, step) for step in steps if (match := LABEL.match(step.name))]
    triggers = Counter(match["label"] for match, _ in labels if match["instruction"].startswith(TRIGGER))
    for match, step in labels:
        if not match["instruction"].startswith("LINK "):
            platform = re.sub(r"->\S+", "", match["label"])
            total = int(match["total"]) - triggers[match["label"]]
            found[f"{platform} {match['number']}/{total}".strip()] = step
    return found


def read(name: str, kept: Mapping[str, Any]) -> Record | None:
    """Return a record, or None if it does not say what went into its build."""
    steps = labelled(Step(**{field: each[field] for field in FIELDS}) for each in kept.get("steps", ()))
    graph = nodes.read(kept.get("ingredients") or {}, steps)
    tags = kept.get("tags") or [""]
    if graph and kept.get("builder"):
        graph = replace(graph, builder=kept["builder"])
    stem = name.removeprefix(f"{BUILDS}/").removesuffix(".json")
    return Record(name=stem, image=tags[0], graph=graph, steps=steps) if graph else None


def last_seconds(node: Node, history: Iterable[Record]) -> float:
    """Return how long a step took the last time it ran: the one with its text, or else the one in its place.

    Args:
        node: The step.
        history: Builds, newest first.
    """
    in_place = 0.0
    for record in history:
        for each in record.graph.nodes:
            step = record.steps.get(each.label)
            if each.keyword != node.keyword or step is None or step.cached:
                continue
            if each.text == node.text:
                return step.seconds
            if each.label == node.label:
                in_place = in_place or step.seconds
    return in_place


class Records:
    """The builds of a project, newest first; each is read when it is asked for.

    Args:
        state: Where they are.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._read: dict[str, Record | None] = {}
        self.names = state.records(BUILDS)[::-1]

    def __iter__(self) -> Iterator[Record]:
        for name in self.names:
            record = self._get(name)
            if record is not None:
                yield record

    def _get(self, name: str) -> Record | None:
        if name not in self._read:
            self._read[name] = read(name, self._state.read_record(name) or {})
        return self._read[name]

    def last(self) -> Record | None:
        """Return the last build that says what went in."""
        return next(iter(self), None)

    def like(self, graph: Graph, *, before: str = "") -> Record | None:
        """Return the last build that can be compared: of the same builder if there is one, or else of another one.

        Args:
            graph: What went into the build that is compared.
            before: The name of its record; empty if it has none yet.
        """
        of_another = None
        for each in self:
            if (not before or each.name < before) and each.graph.kind == graph.kind:
                if each.graph.builder == graph.builder:
                    return each
                of_another = of_another or each
        return of_another

    def named(self, wanted: str) -> Record:
        """Return a build by the beginning of its name, or by how many builds it is back; 0 is the last one.

        Raises:
            SettingsError: There is none, or it does not say what went in.
        """
        known = list(self)
        if wanted.isascii() and wanted.isdigit() and len(wanted) < 4:  # noqa: PLR2004 - a year has four digits
            found = known[int(wanted) : int(wanted) + 1]
        else:
            stem = wanted.rpartition("/")[2].removesuffix(".json")
            found = [each for each in known if each.name.startswith(stem)]
        if not found:
            told = ", ".join(each.name for each in known[:5]) or "none"
            raise SettingsError(
                f"There is no record {wanted} of a build.",
                f"The last ones that say what went into the build: {told}.",
                "Name one of them, or how many builds it is back: 1 is the one before the last.",
            )
        return found[0]
