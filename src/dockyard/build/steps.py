"""BuildKit's messages -> the steps of a build, kept up to date while it runs."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

TAIL = 30
INSTRUCTION = re.compile(r"^\[(?:[a-z0-9]+/\S+ )?(?:(?P<stage>\S+) +)?\d+/\d+\] (?P<instruction>.*)", re.DOTALL)


@dataclass(kw_only=True)
class Step:
    """One vertex of BuildKit's graph.

    Attributes:
        name: As BuildKit prints it, for instance `[builder 3/7] RUN uv …`.
        inputs: Names of the steps it stands on.
        seconds: Time it ran; 0 while it has not ended, and for a cached one.
        log: The last lines it printed.
        transfers: Bytes now and in all, by what is transferred; the total is 0 where BuildKit does not know it.
    """

    name: str
    inputs: tuple[str, ...] = ()
    started: str = ""
    completed: str = ""
    cached: bool = False
    error: str = ""
    log: list[str] = field(default_factory=list)
    transfers: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def instruction(self) -> str:
        """The instruction of the Dockerfile, without its stage; empty for BuildKit's own steps."""
        found = INSTRUCTION.match(self.name)
        return found["instruction"] if found else ""

    @property
    def counts(self) -> bool:
        """Whether it is work that a cache can save: an instruction, and not the mere naming of a base."""
        return bool(self.instruction) and not self.instruction.startswith("FROM ")

    @property
    def running(self) -> bool:
        """Whether it has begun and not ended."""
        return bool(self.started) and not self.completed

    @property
    def seconds(self) -> float:
        """How long it ran."""
        if not (self.started and self.completed) or self.cached:
            return 0.0
        return (moment(self.completed) - moment(self.started)).total_seconds()


class Progress:
    """The steps of a running build, kept up to date from BuildKit's messages."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}
        self._unended: dict[str, bytes] = {}

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps known so far, in the order BuildKit named them."""
        return tuple(self._steps.values())

    @property
    def failed(self) -> Step | None:
        """The step that failed, if one did; one that was only cancelled is not it."""
        broken = [step for step in self.steps if step.error and "context canceled" not in step.error]
        return broken[0] if broken else None

    def update(self, message: dict[str, Any]) -> None:
        """Take one message of BuildKit."""
        for vertex in message.get("vertexes") or ():
            step = self._steps.setdefault(vertex["digest"], Step(name=vertex["name"]))
            step.inputs = tuple(self._steps[each].name for each in vertex.get("inputs") or () if each in self._steps)
            # A step can be started more than once, while it looks for its cache; the first start counts.
            step.started = step.started or vertex.get("started") or ""
            step.completed = vertex.get("completed") or ""
            step.cached = step.cached or bool(vertex.get("cached"))
            step.error = vertex.get("error") or step.error
            if step.completed and self._unended.get(vertex["digest"]):
                self._log(vertex["digest"], b"\n")
        for status in message.get("statuses") or ():
            if status["vertex"] in self._steps:
                moved = (status.get("current") or 0, status.get("total") or 0)
                self._steps[status["vertex"]].transfers[status["id"]] = moved
        for log in message.get("logs") or ():
            if log["vertex"] in self._steps:
                self._log(log["vertex"], base64.b64decode(log.get("data") or ""))

    def _log(self, vertex: str, data: bytes) -> None:
        """Keep a step's last lines; a piece of its output may end within a line, or within a letter."""
        *lines, rest = (self._unended.pop(vertex, b"") + data).split(b"\n")
        self._unended[vertex] = rest
        kept = self._steps[vertex].log
        kept.extend(line for each in lines if (line := each.decode("utf-8", "replace").rstrip()))
        del kept[:-TAIL]


def moment(text: str) -> datetime:
    """Read BuildKit's time; it writes nanoseconds, of which Python takes six digits."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
