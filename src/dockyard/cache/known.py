"""Records of builds -> what BuildKit calls the project's steps, and what their cache has saved so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import mean
from typing import TYPE_CHECKING

from dockyard.build.marked import unmarked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dockyard.explain import Record
    from dockyard.explain.nodes import Node

RAN = "mount / from exec "


@dataclass(kw_only=True)
class Known:
    """One step of the project, over all its builds.

    Attributes:
        name: As BuildKit prints it.
        seconds: What it took, each time that it ran.
        taken: How often it was taken from the cache.
    """

    name: str
    seconds: list[float] = field(default_factory=list)
    taken: int = 0

    @property
    def saved(self) -> float:
        """The seconds that its cache has saved; 0 where it never ran in a build that is recorded."""
        return mean(self.seconds) * self.taken if self.seconds else 0.0


def known(history: Iterable[Record]) -> dict[str, Known]:
    """Return the steps of builds by what BuildKit says of their results.

    Args:
        history: Builds, newest first.
    """
    found: dict[str, Known] = {}
    for record in history:
        for node in record.graph.nodes:
            step = record.steps.get(node.label)
            if step is None or node.keyword == "FROM":
                continue
            one = found.setdefault(described(node, step.name), Known(name=step.name))
            if step.cached:
                one.taken += 1
            elif not step.error:
                one.seconds.append(step.seconds)
    return found


def described(node: Node, name: str) -> str:
    """Return what BuildKit says of the result of a step: what a RUN ran, and the name of any other one."""
    if node.keyword != "RUN":
        return flat(name)
    words = [" ".join(each) if isinstance(each, (list, tuple)) else str(each) for each in node.parts["command"]]
    return flat(RAN + " ".join(words))


def flat(text: str) -> str:
    """Return a text with its blanks made uniform: where lines were joined, both sides have their own."""
    return " ".join(unmarked(text).split())
