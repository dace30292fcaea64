from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from dockyard.engines.logs import LogLine
from dockyard.errors import EngineError
from dockyard.observe import follow
from dockyard.observe.follow import Follower, Question, Turn, history
from support import container


@dataclass
class Engine:
    """An engine whose containers log, end and are replaced as a test says; each question moves its clock on.

    Attributes:
        logs: What each container has logged, by id: time and text.
        sequels: What happens when a followed log comes to its end, one after the other.
        now: The container that has the name.
        meanwhile: What happens while it is waited, once it has been for so many seconds.
    """

    now: object
    logs: dict[str, list[tuple[str, str]]]
    sequels: list = field(default_factory=list)
    gone: set = field(default_factory=set)
    clock: float = 0.0
    asked: list = field(default_factory=list)
    meanwhile: object = None

    def container(self, name):
        if name in self.gone:
            return None
        return self.now if self.now and name in (self.now.id, self.now.name) else None

    def read_log(self, daemon, container, *, since="", follow=False):
        self.asked.append(container)
        yield from [LogLine(time=time, text=text.encode()) for time, text in self.logs[container] if time >= since]
        if follow and self.sequels:
            yield from self.sequels.pop(0)(self) or ()

    def last_lines(self, daemon, container, lines, *, since=""):
        yield from list(self.read_log(daemon, container, since=since))[-lines:]
        self.asked[-1] = f"the last of {container}"

    def pause(self, seconds):
        self.clock += seconds
        if self.meanwhile and self.clock > self.meanwhile[0]:
            self.now, self.meanwhile = self.meanwhile[1], None


@pytest.fixture
def engine(monkeypatch):
    """Make an engine, and let the module read its logs."""

    def engine(**given) -> Engine:
        made = Engine(now=container(), **given)
        monkeypatch.setattr(follow, "read_log", made.read_log)
        monkeypatch.setattr(follow, "last_lines", made.last_lines)
        return made

    return engine


def followed(engine, question=Question()) -> list[str]:  # noqa: B008 - frozen
    """What a follower yields: lines as they are, turns in brackets."""
    clock = {"clock": lambda: engine.clock, "pause": engine.pause}
    follower = Follower("api-prod", "tiny-service", daemon=engine, patience=5, **clock)
    return [
        f"[{each.text}]" if isinstance(each, Turn) else each.text.decode()
        for each in follower.follow(container(), question)
    ]


def ends(engine):
    engine.now = replace(engine.now, status="exited", exit_code=0)


END = "[api-prod has ended with exit code 0, and none took its place within 5 s.]"


def test_ends(engine):
    """A container that ends and has no successor is waited for, told, and the following ends."""
    there = engine(logs={"old-1": [("1", "one"), ("2", "two")]}, sequels=[ends])

    assert followed(there) == ["one", "two", END]
    assert there.clock >= 5


def test_replaced(engine):
    """The successor's log is read from its own start, after one line that says so; nothing twice, nothing lost."""

    def replaced(engine):
        engine.now = container(id="new-1", status="created")
        engine.meanwhile = (1, container(id="new-1"))

    there = engine(logs={"old-1": [("5", "old")], "new-1": [("3", "new"), ("4", "more")]}, sequels=[replaced, ends])

    turn = "[api-prod: another container has its place: new-1, of tiny-service:prod.]"
    assert followed(there) == ["old", turn, "new", "more", END]


def test_put_back(engine):
    """Where the successor fails and the old one comes back, its log goes on where it stopped."""

    def replaced(engine):
        engine.now = container(id="new-1")

    def put_back(engine):
        engine.logs["old-1"] += [("2", "two"), ("3", "three")]
        engine.now = container(started="later")

    there = engine(logs={"old-1": [("1", "one"), ("2", "two")], "new-1": []}, sequels=[replaced, put_back, ends])

    told = [each for each in followed(there) if not each.startswith("[")]
    assert told == ["one", "two", "two", "three"]


def test_started_again(engine):
    """A container that the engine starts again is followed on, with a line that says so."""

    def again(engine):
        engine.now = container(started="later")
        engine.logs["old-1"].append(("2", "two"))

    there = engine(logs={"old-1": [("1", "one")]}, sequels=[again, ends])

    assert followed(there) == ["one", "[api-prod was started again.]", "two", END]


def test_restarting(engine):
    """While the engine itself waits before it starts a container again, patience does not run out."""

    def restarting(engine):
        engine.now = container(status="restarting")
        engine.meanwhile = (60, container(started="later"))

    there = engine(logs={"old-1": []}, sequels=[restarting, ends])

    assert followed(there)[0] == "[api-prod was started again.]"
    assert there.clock > 60


def test_same_time(engine):
    """Lines of one and the same time are told apart when the log is read on."""

    def again(engine):
        engine.now = container(started="later")
        engine.logs["old-1"] += [("1", "b"), ("1", "c")]

    there = engine(logs={"old-1": [("1", "a"), ("1", "b")]}, sequels=[again, ends])

    assert [each for each in followed(there) if not each.startswith("[")] == ["a", "b", "b", "c"]


def test_same_words(engine):
    """A line that says what an earlier one said is another line, were it of the last time that was read."""

    def again(engine):
        engine.now = container(started="later")
        engine.logs["old-1"] += [("2", "b")]

    there = engine(logs={"old-1": [("1", "b"), ("2", "a")]}, sequels=[again, ends])

    assert [each for each in followed(there) if not each.startswith("[")] == ["b", "a", "b"]


def test_foreign_successor(engine):
    """A container that somebody else gave the name is none to follow."""

    def foreign(engine):
        engine.now = container(id="their-1", labels={})

    there = engine(logs={"old-1": [], "their-1": [("1", "theirs")]}, sequels=[foreign])

    assert followed(there) == ["[api-prod was removed, and none took its place within 5 s.]"]


def test_removed_meanwhile(engine):
    """A container that is removed while its log is read has ended; any other failure of the engine is an error."""

    def removed(engine):
        engine.gone |= {"old-1", "api-prod"}
        raise EngineError("one", "two", "three")
        yield

    there = engine(logs={"old-1": [("1", "one")]}, sequels=[removed])
    assert followed(there) == ["one", "[api-prod was removed, and none took its place within 5 s.]"]

    def lost(engine):
        raise EngineError("one", "two", "three")
        yield

    there = engine(logs={"old-1": [("1", "one")]}, sequels=[lost])
    with pytest.raises(EngineError):
        followed(there)


def test_last_lines(engine):
    """The engine counts the last lines where all are wanted; else they are counted among the wanted ones."""
    lines = [(str(at), f"{'bad' if at % 2 else 'good'} {at}") for at in range(1, 8)]
    there = engine(logs={"old-1": lines})

    assert [line.text for line in history(there, "old-1", Question(lines=2))] == [b"bad 7", b"good 6"][::-1]
    assert there.asked == ["the last of old-1"]
    wanted = Question(lines=2, takes=lambda text: text.startswith(b"good"))
    assert [line.text for line in history(there, "old-1", wanted)] == [b"good 4", b"good 6"]
    assert there.asked[-1] == "old-1"


def test_since(engine):
    """A log is read from a time on; so is a successor's."""

    def replaced(engine):
        engine.now = container(id="new-1")

    there = engine(logs={"old-1": [("1", "one"), ("2", "two")], "new-1": [("1", "past"), ("3", "now")]})
    there.sequels = [replaced, ends]

    assert [each for each in followed(there, Question(since="2")) if not each.startswith("[")] == ["two", "now"]


def test_filtered(engine):
    """Followed, only wanted lines come: of the past the last ones, then each, of the successor too."""

    def more(engine):
        engine.logs["old-1"] += [("4", "good 4"), ("5", "bad 5")]
        yield from (LogLine(time=time, text=text.encode()) for time, text in engine.logs["old-1"][-2:])
        engine.now = container(id="new-1")

    there = engine(logs={"old-1": [("1", "good 1"), ("2", "good 2"), ("3", "bad 3")], "new-1": [("1", "good new")]})
    there.sequels = [more, ends]
    question = Question(lines=1, takes=lambda text: text.startswith(b"good"))

    assert [each for each in followed(there, question) if not each.startswith("[")] == ["good 2", "good 4", "good new"]
