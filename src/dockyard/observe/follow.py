"""A container's log from a point on; followed, it goes on with whatever container has the name next."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard.engines.logs import LogLine, last_lines, read_log
from dockyard.errors import EngineError
from dockyard.run import ours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dockyard.engines.daemon import Daemon
    from dockyard.engines.facts import ContainerFacts

PAUSE = 0.2
PATIENCE = 10.0
SHORT = 12


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What happened to the container between two lines, in one sentence."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which lines of a log are asked for.

    Attributes:
        since: The first time, in the form of a LogLine's; empty is from the beginning.
        lines: So many of the last ones to begin with; None is all.
        takes: Whether a line is wanted; None is all of them.
    """

    since: str = ""
    lines: int | None = None
    takes: Callable[[bytes], bool] | None = None

    def among(self, lines: Iterable[LogLine]) -> Iterator[LogLine]:
        """Yield the lines that are wanted."""
        return (line for line in lines if self.takes is None or self.takes(line.text))


@dataclass
class _Position:
    """How far a container's log was read: the last time, and the lines that have that very time."""

    time: str = ""
    lines: Counter[bytes] = field(default_factory=Counter)

    def unseen(self, lines: Iterable[LogLine]) -> Iterator[LogLine]:
        """Yield the lines that were not read before, and note each."""
        at, known = self.time, self.lines.copy()
        for line in lines:
            if line.time < at:
                continue
            if line.time == at and known[line.text] > 0:
                known[line.text] -= 1
                continue
            if line.time != self.time:
                self.time, self.lines = line.time, Counter()
            self.lines[line.text] += 1
            yield line


def history(daemon: Daemon, container: str, question: Question) -> Iterator[LogLine]:
    """Yield what a container has logged; in memory are at most the lines that are asked for."""
    return _history(daemon, container, question, _Position())


def _history(daemon: Daemon, container: str, question: Question, seen: _Position) -> Iterator[LogLine]:
    if question.takes is None and question.lines is not None:
        yield from seen.unseen(last_lines(daemon, container, question.lines, since=question.since))
        return
    found = question.among(seen.unseen(read_log(daemon, container, since=question.since)))
    yield from found if question.lines is None else deque(found, maxlen=question.lines)


class Follower:
    """Reads on, across restarts and replacements.

    Args:
        name: Of the container.
        project: The image whose containers are ours.
        daemon: The engine's socket.
        patience: Seconds that a successor may take.
        clock: Seconds of a clock that never goes back.
        pause: Waits between two questions.
    """

    def __init__(
        self,
        name: str,
        project: str,
        *,
        daemon: Daemon,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name, self._project, self._daemon = name, project, daemon
        self._patience, self._clock, self._pause = patience, clock, pause
        self._seen: dict[str, _Position] = {}

    def follow(self, facts: ContainerFacts, question: Question) -> Iterator[LogLine | Turn]:
        """Yield the lines as they come, and a Turn where the container ends, begins anew or is another one.

        It ends when nothing has the container's name, or that does not run, for as long as patience lasts.
        """
        yield from self._begin(facts, question)
        while True:
            successor = self._successor(facts)
            if successor is None:
                yield Turn(text=self._end(facts))
                return
            if successor.id != facts.id:
                what = f"another container has its place: {successor.id[:SHORT]}, of {successor.image}"
                yield Turn(text=f"{self._name}: {what}.")
            elif successor.started != facts.started:
                yield Turn(text=f"{self._name} was started again.")
            facts = successor
            yield from self._read_on(facts, question)

    def _begin(self, facts: ContainerFacts, question: Question) -> Iterator[LogLine]:
        seen = self._seen.setdefault(facts.id, _Position())
        yield from _history(self._daemon, facts.id, question, seen)
        yield from self._read_on(facts, question)

    def _read_on(self, facts: ContainerFacts, question: Question) -> Iterator[LogLine]:
        seen = self._seen.setdefault(facts.id, _Position())
        lines = read_log(self._daemon, facts.id, since=max(seen.time, question.since), follow=True)
        yield from question.among(seen.unseen(self._while_there(facts, lines)))

    def _while_there(self, facts: ContainerFacts, lines: Iterator[LogLine]) -> Iterator[LogLine]:
        """Yield lines; a container that is removed meanwhile has ended, which is no error."""
        try:
            yield from lines
        except EngineError:
            if self._daemon.container(facts.id) is not None:
                raise

    def _successor(self, before: ContainerFacts) -> ContainerFacts | None:
        """Wait for a container of the name that has more to say; None if none comes."""
        deadline = self._clock() + self._patience
        while True:
            now = self._daemon.container(self._name)
            if now is not None and ours(now, self._project):
                # One that was only made has no log yet; the engine would end the answer at once.
                if now.status in ("running", "paused") or (now.id != before.id and now.status != "created"):
                    self._pause(PAUSE)
                    return now
                if now.status == "restarting":
                    deadline = self._clock() + self._patience
            if self._clock() > deadline:
                return None
            self._pause(PAUSE)

    def _end(self, before: ContainerFacts) -> str:
        now = self._daemon.container(before.id)
        end = "was removed" if now is None else f"has ended with exit code {now.exit_code}"
        return f"{self._name} {end}, and none took its place within {self._patience:g} s."
