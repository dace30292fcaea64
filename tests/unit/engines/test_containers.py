from __future__ import annotations

import pytest

from dockyard.engines import process
from dockyard.engines.containers import Container, make_volume
from dockyard.engines.daemon import Daemon
from dockyard.errors import EngineError
from support import sentences


class Api:
    """Answers of an engine, and the calls for them."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def inspect_container(self, name):
        return {"Id": name}

    def top(self, name, ps_args):
        return {"Processes": [["17", "1000", "S", "python -m service"]]}

    def diff(self, name):
        return [{"Path": "/run", "Kind": 0}, {"Path": "/a", "Kind": 1}, {"Path": "/b", "Kind": 2}]

    def logs(self, name):
        return b"one\r\n\xfftwo"

    def kill(self, name, signal):
        self.calls.append((name, signal))

    def create_volume(self, name, labels):
        self.calls.append((name, labels))


@pytest.fixture
def api(monkeypatch):
    """An engine that answers."""
    api = Api()
    monkeypatch.setattr(Daemon, "api", api)
    return api


def test_looks(api):
    """Each question gives the engine's answer, read; the output keeps every byte."""
    container = Container(daemon=Daemon(), id="one")
    assert container.inspect() == {"Id": "one"}
    assert container.processes() == ((17, 1000, "S", "python -m service"),)
    assert container.changes() == (("changed", "/run"), ("added", "/a"), ("deleted", "/b"))
    assert container.output() == b"one\r\n\xfftwo"


def test_nothing(api, monkeypatch):
    """An engine says null where there is nothing."""
    monkeypatch.setattr(api, "diff", lambda name: None)
    monkeypatch.setattr(api, "top", lambda name, ps_args: {"Processes": None})
    container = Container(daemon=Daemon(), id="one")
    assert (container.changes(), container.processes()) == ((), ())


def test_acts(api):
    """A signal goes to the container, a volume has its labels."""
    Container(daemon=Daemon(), id="one").send("STOP")
    make_volume(Daemon(), "v", {"a": "b"})
    assert api.calls == [("one", "STOP"), ("v", {"a": "b"})]


@pytest.mark.parametrize(
    "ask",
    [Container.inspect, Container.processes, Container.changes, Container.output, lambda one: one.send("STOP")],
)
def test_lost(ask):
    """Without an engine each question is an error of ours."""
    with pytest.raises(EngineError) as caught:
        ask(Container(daemon=Daemon(), id="one"))
    assert sentences(caught.value)[0] == "The Docker engine does not answer."


def test_execute(monkeypatch):
    """A command is run in the container, for so long."""
    calls = []

    def run(command, *, timeout):
        calls.append((command, timeout))
        return process.Completed(code=3, output="out", error="")

    monkeypatch.setattr(process, "run", run)
    done = Container(daemon=Daemon(), id="one").execute(["a", "b"], seconds=4)
    assert calls == [(["docker", "container", "exec", "one", "a", "b"], 4)]
    assert done.code == 3
