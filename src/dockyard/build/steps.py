"""BuildKit's messages -> the steps of a build, kept up to date while it runs."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from dockyard.build.output import plain

TAIL = 30
# A line that never ends is cut, so that a step which prints nothing else is not read again and again.
LONGEST_LINE = 1 << 14
INSTRUCTION = re.compile(
    r"^\[(?P<platform>[a-z0-9]+/\S+ )?(?:(?P<stage>\S+) +)?(?P<number>\d+)/(?P<total>\d+)\] (?P<instruction>.*)",
    re.DOTALL,
)
CANCELLED = ("context canceled", "code = Canceled")


@dataclass(kw_only=True)
class Step:
    """One vertex of BuildKit's graph.

    Attributes:
        name: As BuildKit prints it, for instance `[builder 3/7] RUN uv …`.
        inputs: Names of the steps it stands on.
        seconds: Time it ran; 0 while it has not ended, and for a cached one.
        log: The last lines it printed; the last one may be a progress bar that still moves.
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

    @cached_property
    def _label(self) -> re.Match[str] | None:
        return INSTRUCTION.match(self.name)

    @property
    def instruction(self) -> str:
        """The instruction of the Dockerfile, without its stage; empty for BuildKit's own steps."""
        return self._label["instruction"] if self._label else ""

    @property
    def stage(self) -> str:
        """Its stage as BuildKit calls it, empty where a Dockerfile has but one; with the platform of several."""
        return f"{self._label['platform'] or ''}{self._label['stage'] or ''}".strip() if self._label else ""

    @property
    def number(self) -> int:
        """Its number in its stage; 0 for BuildKit's own steps."""
        return int(self._label["number"]) if self._label else 0

    @property
    def total(self) -> int:
        """How many steps its stage has; 0 for BuildKit's own steps."""
        return int(self._label["total"]) if self._label else 0

    @property
    def cancelled(self) -> bool:
        """Whether it was stopped because another one failed."""
        return any(told in self.error for told in CANCELLED)

    @property
    def counts(self) -> bool:
        """Whether it is work that a cache can save: no mere naming of a base, nor the second half of a COPY --link."""
        return bool(self.instruction) and not self.instruction.startswith(("FROM ", "LINK "))

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
    """The steps of a running build, kept up to date from BuildKit's messages.

    Args:
        hidden: What must not be seen of what steps print.

    Attributes:
        touched: The steps that the last message told of.
    """

    def __init__(self, hidden: tuple[str, ...] = ()) -> None:
        self._steps: dict[str, Step] = {}
        self._unended: dict[str, bytes] = {}
        self._moving: set[str] = set()
        self._hidden = hidden
        self.touched: tuple[Step, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps known so far, in the order BuildKit named them."""
        return tuple(self._steps.values())

    @property
    def failed(self) -> Step | None:
        """The step that failed, if one did; one that was only cancelled is not it."""
        broken = [step for step in self.steps if step.error and not step.cancelled]
        return broken[0] if broken else None

    def update(self, message: dict[str, Any]) -> None:
        """Take one message of BuildKit."""
        vertexes = message.get("vertexes") or ()
        # All are known before any says what it stands on: BuildKit names a step before those below it.
        touched = {vertex["digest"]: self._named(vertex) for vertex in vertexes}
        for vertex in vertexes:
            self._vertex(vertex)
        for status in message.get("statuses") or ():
            if status["vertex"] in self._steps:
                step = touched[status["vertex"]] = self._steps[status["vertex"]]
                step.transfers[status["id"]] = (status.get("current") or 0, status.get("total") or 0)
        for log in message.get("logs") or ():
            if log["vertex"] in self._steps:
                touched[log["vertex"]] = self._steps[log["vertex"]]
                self._log(log["vertex"], base64.b64decode(log.get("data") or ""))
        self.touched = tuple(touched.values())

    def _named(self, vertex: dict[str, Any]) -> Step:
        return self._steps.setdefault(vertex["digest"], Step(name=vertex["name"]))

    def _vertex(self, vertex: dict[str, Any]) -> None:
        step = self._steps[vertex["digest"]]
        step.inputs = tuple(self._steps[each].name for each in vertex.get("inputs") or () if each in self._steps)
        # A step can be started more than once, while it looks for its cache; the first start counts.
        step.started = step.started or vertex.get("started") or ""
        step.completed = vertex.get("completed") or ""
        step.cached = step.cached or bool(vertex.get("cached"))
        step.error = "\n".join(map(self._plain, (vertex.get("error") or "").splitlines())) or step.error
        if step.completed and self._unended.get(vertex["digest"]):
            self._log(vertex["digest"], b"\n")

    def _log(self, vertex: str, data: bytes) -> None:
        """Keep a step's last lines; a piece of its output may end within a line, or within a letter."""
        *lines, rest = (self._unended.pop(vertex, b"") + data).split(b"\n")
        if len(rest) > LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        kept = self._steps[vertex].log
        if vertex in self._moving:
            self._moving.remove(vertex)
            kept.pop()
        kept.extend(line for each in lines if (line := self._plain(each.decode("utf-8", "replace"))))
        if b"\r" in rest:
            rest = _last_state(rest)
            if state := self._plain(rest.decode("utf-8", "replace")):
                self._moving.add(vertex)
                kept.append(state)
        self._unended[vertex] = rest
        del kept[:-TAIL]

    def _plain(self, line: str) -> str:
        return plain(line, self._hidden)


def _last_state(bar: bytes) -> bytes:
    """Return what a progress bar shows now, and the return of the carriage that the next state may need."""
    before, back, last = bar.rpartition(b"\r")
    return back + last if last else back + before.rpartition(b"\r")[2] + back


def moment(text: str) -> datetime:
    """Read BuildKit's time; it writes nanoseconds, of which Python takes six digits."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
