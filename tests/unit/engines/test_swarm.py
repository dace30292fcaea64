"""What a swarm tells, read from answers that a real one gave."""

from __future__ import annotations

import json
from collections import Counter

import docker.errors
import pytest

from dockyard.engines.daemon import Daemon
from dockyard.engines.swarm import Swarm
from dockyard.engines.swarm_facts import read_secret, read_service, read_swarm, read_task
from dockyard.errors import EngineError
from support import recorded

IMAGE = "tiny-service@sha256:5f37bd903f6e63c67539f2160f05de57dbd01daba03192b3768533e616bb5823"


def told(name):
    return json.loads(recorded(f"swarm/{name}.json"))


def secret(name, labels=None):
    return {"ID": f"id-{name}", "Spec": {"Name": name, "Labels": labels}}


class Api:
    """The SDK's plain calls, with the answers laid out for them."""

    def __init__(self, **answers):
        self._answers, self.asked = answers, []

    def __getattr__(self, name):
        def call(*given, **named):
            self.asked.append((name, given, named))
            answer = self._answers.get(name)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


class Laid(Daemon):
    """A daemon whose socket answers what is laid out."""

    def __init__(self, api):
        super().__init__()
        self._laid = api

    @property
    def api(self):
        return self._laid


def swarm_of(**answers):
    api = Api(**answers)
    return Swarm(daemon=Laid(api)), api


def test_service():
    """Image, replicas, secrets and the state of the update are read."""
    facts = read_service(told("rollback-started")["service"])

    assert (facts.name, facts.image, facts.replicas) == ("tiny-service_tiny-service", IMAGE, 2)
    assert facts.secrets == ("tiny-service-key-1",)
    assert facts.labels["dev.dockyard.project"] == "tiny-service"
    assert facts.update == "rollback_started"
    assert facts.message.startswith("update rolled back due to failure or early termination of task ")


def test_first_service():
    """A service that was never updated has no state of an update."""
    facts = read_service(told("first")["service"])
    assert (facts.update, facts.message) == ("", "")


def test_tasks():
    """A task's state, what it is to become, and how it ended are read."""
    tasks = [read_task(each) for each in told("rollback-completed")["tasks"]]
    (failed,) = [each for each in tasks if each.failed]

    assert Counter(each.runs for each in tasks) == {True: 2, False: 6}
    assert (failed.state, failed.desired, failed.error, failed.exit_code) == (
        "failed",
        "shutdown",
        "task: non-zero exit (1)",
        1,
    )
    assert len(failed.container) == 64
    assert failed.image != IMAGE


@pytest.mark.parametrize(
    ("state", "desired", "failed"),
    [
        ("failed", "shutdown", True),
        ("rejected", "shutdown", True),
        ("complete", "shutdown", True),
        ("complete", "remove", False),
        ("shutdown", "shutdown", False),
        ("running", "running", False),
        ("starting", "running", False),
    ],
)
def test_failed(state, desired, failed):
    """A task that ends by itself failed, whatever its exit code; one that Swarm ended did not."""
    task = told("first")["tasks"][0]
    task["Status"]["State"], task["DesiredState"] = state, desired
    assert read_task(task).failed is failed


def test_tasks_are_told_from_others_by_what_they_are_made_of():
    """A service's tasks are made of what it asks for, those of the release before are not."""
    document = told("updating")
    wanted = read_service(document["service"]).made_of
    going = [each for each in map(read_task, document["tasks"]) if each.desired == "running"]

    assert [(each.slot, each.state) for each in going if each.made_of != wanted] == [(1, "running")]
    assert sorted((each.slot, each.state) for each in going if each.made_of == wanted) == [
        (1, "starting"),
        (2, "running"),
    ]


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({}, ("inactive", False, "", "")),
        ({"Swarm": {"LocalNodeState": "active", "ControlAvailable": True, "NodeID": "n"}}, ("active", True, "n", "")),
        ({"Swarm": {"LocalNodeState": "active", "ControlAvailable": False, "NodeID": "n"}}, ("active", False, "n", "")),
        ({"Swarm": {"LocalNodeState": "error", "Error": "broken"}}, ("error", False, "", "broken")),
    ],
)  # fmt: skip
def test_state(info, expected):
    """An engine's part in a swarm is read; one that says nothing is in none."""
    facts = read_swarm(info)
    assert (facts.state, facts.manager, facts.node, facts.error) == expected


@pytest.mark.parametrize(
    ("name", "base", "number"), [("a-key-3", "a-key", 3), ("a-key-x", "a-key", 0), ("a-key", "a", 0), ("a", "", 0)]
)
def test_secret(name, base, number):
    """The number behind a secret's name is its version."""
    facts = read_secret(secret(name))
    assert (facts.base, facts.number, facts.labels) == (base, number, {})


def test_secrets():
    """Only versions of that very name count, the newest last: the tenth is newer than the ninth."""
    names = ["a-key-10", "a-key-9", "b-a-key-1", "a-key-old", "a-key-two-1"]
    swarm, _ = swarm_of(secrets=[secret(each) for each in names])
    assert [each.name for each in swarm.secrets("a-key")] == ["a-key-9", "a-key-10"]


def test_made_secret():
    """A secret goes over the socket, with its labels."""
    swarm, api = swarm_of()
    swarm.make_secret("a-key-1", b"value", {"l": "1"})
    assert api.asked == [("create_secret", ("a-key-1", b"value"), {"labels": {"l": "1"}})]


def test_service_of_a_name():
    """The service of that very name is returned, not one whose name begins so."""
    found, longer = told("first")["service"], told("first")["service"]
    longer["Spec"]["Name"] += "-two"
    swarm, _ = swarm_of(services=[longer, found])
    assert swarm.service("tiny-service_tiny-service") == read_service(found)
    swarm, _ = swarm_of(services=[longer])
    assert swarm.service("tiny-service_tiny-service") is None


def test_refused():
    """An engine that refuses is an error with its words."""
    swarm, _ = swarm_of(services=docker.errors.APIError("x", explanation="This node is not a swarm manager."))
    with pytest.raises(EngineError) as caught:
        swarm.service("a")
    assert caught.value.why == "This node is not a swarm manager."


def test_newest_first():
    """Tasks come in the order in which they were made, the newest first."""
    swarm, _ = swarm_of(tasks=told("rollback-completed")["tasks"])
    assert swarm.tasks("a")[0].slot == 2
    assert [each.id for each in swarm.tasks("a") if each.failed] == [swarm.tasks("a")[1].id]
