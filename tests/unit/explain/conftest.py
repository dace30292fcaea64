from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from dockyard import explain
from dockyard.build import Step
from dockyard.plan.build import BuildPlan
from dockyard.state import State

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = """\
FROM scratch AS one
ARG VERSION=1
COPY src /src
RUN make
FROM scratch
COPY --from=one /made /made
COPY last.txt /
"""


@dataclass
class Bench:
    """A project whose builds are told, not made.

    Attributes:
        kept: The records so far, newest first.
    """

    root: Path
    plan: BuildPlan
    state: State
    kept: list[explain.Record] = field(default_factory=list)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def again(self, **changed: object) -> None:
        self.plan = replace(self.plan, **changed)

    def gather(self, **given: object) -> explain.Graph:
        return explain.gather(self.plan, state=self.state, image=lambda _: None, **given)

    def build(self, *ran: str, seconds: int = 1) -> explain.Explanation:
        """Tell of a build in which these steps ran, by label, and the others were cached; explain it."""
        graph = self.gather()
        steps = {
            node.label: Step(
                name=f"[{node.label}] {node.printed}",
                started="2026-11-23T05:00:00Z",
                completed=f"2026-11-23T05:00:{seconds:02}Z",
                cached=node.label not in ran,
            )
            for node in graph.nodes
        }
        record = explain.Record(name=f"{len(self.kept):04}", image="tiny:1", graph=graph, steps=steps)
        against = next((each for each in self.kept if each.graph.kind == graph.kind), None)
        self.kept.insert(0, record)
        return explain.tell(record, against, explain.Store(self.state), history=self.kept)

    def foretell(self, *edited: str) -> explain.Explanation:
        graph = self.gather(edited=edited, keep=False)
        against = next((each for each in self.kept if each.graph.kind == graph.kind), None)
        return explain.forecast(graph, self.kept, against, explain.Store(self.state), image="tiny:1")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A project of two stages."""
    root = tmp_path / "small"
    root.mkdir()
    plan = BuildPlan(
        context=root,
        dockerfile=root / "Dockerfile",
        python="3.12",
        base="scratch",
        tags=("tiny:1",),
        args={},
        labels={},
        secrets={},
    )
    made = Bench(root, plan, State(tmp_path / "state"))
    made.write("Dockerfile", DOCKERFILE)
    made.write("src/app.py", "one\ntwo\n")
    made.write("last.txt", "last\n")
    return made
