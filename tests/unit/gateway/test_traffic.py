from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard.engines import Engine
from dockyard.gateway import Gateway, behind
from dockyard.plan import BEHIND, production_plan
from dockyard.run import Swap, wait
from support import FakeDaemon, container

LABELS = {**container().labels, BEHIND: "api-prod-gateway"}
OLD = container(id="old-1", name="api-prod-previous")
NEW = container(id="new-1", status="created", health="", ports={"8000/tcp": ("127.0.0.1", 0)})


class FakeAdmin:
    """An HAProxy that has drained at once, or never."""

    def __init__(self, told: list[tuple[object, ...]]) -> None:
        self.told, self.free, self.serves = told, True, "old-1"

    def drained(self, seconds):
        self.told.append(("drained", seconds))
        return self.free

    def forget(self, spare):
        self.told.append(("forget", spare))

    def send_to_none(self):
        self.told.append(("send to none",))

    def serving(self, container):
        return container == self.serves


class FakeProcess:
    """A gateway's container that notes what it is told, among the calls of docker."""

    name, port, at, url, facts = "api-prod-gateway", 8000, ("127.0.0.1", 8000), "http://127.0.0.1:8000", None
    published = ("127.0.0.1", 8000)

    def __init__(self, recorder, *, running: bool = True) -> None:
        self.recorder, self.running, self.told = recorder, running, []
        self.admin = FakeAdmin(self.told)

    def image(self):
        return "dockyard.local/gateway:1"

    def serve(self, container, plan, *, keep_port=0):
        self.running = True
        self.recorder.note("serve", container, str(keep_port))

    def stop(self, seconds):
        self.running = False
        self.recorder.note("stop gateway")

    def write(self, serving):
        self.told.append(("write", serving))

    def remove(self):
        self.recorder.note("remove gateway")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """Wait without pausing."""
    monkeypatch.setattr(wait, "PAUSE", 0)


@pytest.fixture
def swapped(recorder, settings):
    """Do the steps between two containers; return what was done in its order, and the swap."""

    def swapped(old, new, process, *, wanted=True) -> tuple[list[list[str]], Swap]:
        engine = Engine(recorder.buildx, FakeDaemon(recorder, old, new, fates=({"health": "healthy"},)))
        plan = production_plan(settings, token="new")
        traffic = Gateway(process=process, wanted=wanted)
        swap = Swap(plan=plan, engine=engine, traffic=traffic, incoming=new.id, outgoing=old)
        for each in traffic.steps:
            each.act(swap)
        traffic.settle(swap)
        return [call[:3] if call[0] != "container" else [call[1], call[-1]] for call in recorder.calls], swap

    return swapped


def test_behind_to_behind(recorder, swapped):
    """The new one starts and is healthy, gets the requests, and only then the old one ends."""
    process = FakeProcess(recorder)
    done, swap = swapped(replace(OLD, labels=LABELS), replace(NEW, labels=LABELS), process)
    assert done == [["start", "new-1"], ["serve", "new-1", "0"], ["stop", "old-1"]]
    assert process.told == [("drained", swap.plan.stop_timeout), ("forget", "api-prod-gateway")]


def test_what_takes_too_long(recorder, swapped):
    """Requests that outlast their time are told of, and the old one ends all the same."""
    process = FakeProcess(recorder)
    process.admin.free = False
    done, swap = swapped(replace(OLD, labels=LABELS), replace(NEW, labels=LABELS), process)
    assert done[-1] == ["stop", "old-1"]
    assert "took longer" in swap.notes[0]


def test_switched_on(recorder, swapped):
    """The old one has the port: it ends once the new one is healthy, and the gateway keeps its port."""
    done, _ = swapped(OLD, replace(NEW, labels=LABELS), FakeProcess(recorder, running=False))
    assert done == [["start", "new-1"], ["stop", "old-1"], ["serve", "new-1", "8000"]]


def test_switched_off(recorder, swapped):
    """The gateway has the port: it ends before the new one starts, and goes at last."""
    done, _ = swapped(replace(OLD, labels=LABELS), NEW, FakeProcess(recorder), wanted=False)
    assert done == [["stop gateway"], ["start", "new-1"], ["stop", "old-1"], ["remove gateway"]]


def test_published(recorder, settings):
    """Behind a gateway a container has a free loopback port; without one it gets the port that the gateway had."""
    plan = replace(production_plan(settings, token="new"), address="0.0.0.0", port=0)
    process = FakeProcess(recorder)
    hidden = Gateway(process=process).published(plan, OLD)
    assert (hidden.address, hidden.port, hidden.labels[BEHIND]) == ("127.0.0.1", 0, "api-prod-gateway")
    shown = Gateway(process=process, wanted=False).published(plan, replace(OLD, labels=LABELS))
    assert (shown.address, shown.port, BEHIND in shown.labels) == ("0.0.0.0", 8000, False)


@pytest.mark.parametrize(
    ("labels", "running", "serves", "reached"),
    [
        ({}, True, "new-1", True),
        (LABELS, True, "old-1", True),
        (LABELS, True, "new-1", False),
        (LABELS, False, "old-1", False),
    ],
)
def test_reaches(recorder, labels, running, serves, reached):
    """Requests reach a container that has the port, or that a running gateway sends to."""
    process = FakeProcess(recorder, running=running)
    process.admin.serves = serves
    facts = replace(OLD, labels=labels)
    assert behind(facts) is bool(labels)
    assert Gateway(process=process).reaches(facts) is reached


def test_close(recorder):
    """Before a stop nobody is written down, then new requests are refused and the others waited for."""
    process = FakeProcess(recorder)
    Gateway(process=process).close(7)
    assert process.told == [("write", ""), ("send to none",), ("drained", 7), ("forget", "api-prod-gateway")]
