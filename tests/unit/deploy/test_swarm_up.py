"""A release goes to a swarm whose states a real one told; what is done there is written down."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import pytest
from pydantic import SecretStr

from dockyard.deploy import TARGETS, workload_of
from dockyard.deploy.swarm import up, watch
from dockyard.deploy.swarm.stack import MARK, mark, marked
from dockyard.deploy.swarm.up import Orders
from dockyard.engines.daemon import Daemon
from dockyard.engines.swarm import Swarm
from dockyard.engines.swarm_facts import SwarmFacts, read_secret, read_service, read_task
from dockyard.errors import DeployError, EngineError, Interrupted, SettingsError
from dockyard.settings.key import Key
from support import SECRET, container, recorded, sentences

from .conftest import IMAGE

ACTIVE = SwarmFacts(state="active", manager=True, node="n", error="")
NAME = "tiny-service_tiny-service"
LABELS = {"dev.dockyard.project": "tiny-service"}


@cache
def told(state):
    document = json.loads(recorded(f"swarm/{state}.json"))
    return read_service(document["service"]), tuple(read_task(each) for each in document["tasks"])


# What the recorded failure was of, so that its own state is what was asked for.
BROKEN = next(each.made_of for each in told("rollback-completed")[1] if each.failed)


class Replayed(Swarm):
    """A swarm that goes from one recorded state to the next with each question for its tasks.

    Attributes:
        states: Those to come; the last stays.
        done: What was asked of it.
        presses: With which question for tasks Ctrl-C is pressed; 0 is never.
        kept: Its secrets: name to labels.
        changed: What it says otherwise of the service that was before.
    """

    def __init__(self, *states, before=None, secrets=(), facts=ACTIVE, refuses=False, presses=0):
        super().__init__(daemon=Laid())
        vars(self).update(before=before, facts=facts, refuses=refuses, presses=presses, deployed=False)
        vars(self).update(states=list(states), done=[], values={}, changed={})
        vars(self)["kept"] = {name: dict(LABELS) for name in secrets}

    def state(self):
        return self.facts

    def init(self, address):
        self.done.append(f"init {address}".strip())
        vars(self)["facts"] = ACTIVE

    def service(self, name):
        assert name == NAME
        if not self.deployed and not self.before:
            return None
        if not self.deployed:
            return replace(told(self.before)[0], **self.changed)
        facts = told(self.states[0])[0]
        # Just after it was asked for, the service is what was asked for.
        first = "asked" not in self.done
        self.done.append("asked") if first else None
        if not self.before:
            facts = replace(facts, update="", message="")
        return replace(facts, made_of=BROKEN) if first and self.states[-1].startswith("rollback") else facts

    def tasks(self, service):
        if not self.deployed:
            return told(self.before)[1] if self.before else ()
        vars(self)["presses"] -= 1
        if self.presses == 0:
            raise KeyboardInterrupt
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return told(state)[1]

    def nodes(self):
        return dict.fromkeys((each.node for each in told("rollback-completed")[1]), "here")

    def secrets(self, name):
        found = [
            read_secret({"ID": each, "Spec": {"Name": each, "Labels": labels}}) for each, labels in self.kept.items()
        ]
        return tuple(sorted((each for each in found if each.base == name), key=lambda each: each.number))

    def make_secret(self, name, content, labels):
        self.kept[name] = dict(labels)
        self.values[name] = content

    def remove_secret(self, name):
        del self.kept[name]

    def deploy(self, stack, file, *, variables, asks_registry):
        self.done.append(f"deploy {stack} {file.name} {variables} {asks_registry}")
        if self.refuses:
            raise EngineError("The stack was not taken.", "no such network", "Mend it.")
        vars(self)["deployed"] = True

    def task_log(self, task, *, lines):
        return ("about to crash", "no model here")


class Laid(Daemon):
    """This node's engine: it still has the container of the task that failed."""

    def container(self, name):
        return container(id=name, health="unhealthy", health_output="/ready answered 503")


@pytest.fixture
def workload(settings_of):
    def workload(*, of=IMAGE, **changed):
        return workload_of(settings_of(deploy__settle=0, **changed), of)

    return workload


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Let a wait between two questions take a second of a clock that nobody waits for."""
    now = iter(range(10_000))
    monkeypatch.setitem(watch.watch.__kwdefaults__, "clock", lambda: float(next(now)))
    monkeypatch.setitem(watch.watch.__kwdefaults__, "pause", lambda _: None)


@pytest.fixture
def brought(workload, tmp_path):
    """Bring a release up on a swarm; return what came of it, and what was said on the way."""

    def brought(swarm, *, rotate_key=False, init=False, key=SECRET, **changed):
        said = []
        orders = Orders(
            find_key=lambda: Key(value=SecretStr(key), origin="a test"), rotate_key=rotate_key, init=init
        )  # fmt: skip
        made = workload(**changed)
        file = tmp_path / TARGETS["swarm"].main
        return up.up(made, file, swarm=swarm, orders=orders, announce=said.append), said

    return brought


@pytest.fixture
def refused(brought):
    """Bring a release up that must fail; return its three sentences."""

    def refused(swarm, kind=DeployError, **options):
        with pytest.raises(kind) as caught:
            brought(swarm, **options)
        return sentences(caught.value)

    return refused


def unchanged(swarm, workload, **changed):
    """Let the swarm have been asked for a release already."""
    made = workload(**changed)
    labels = {**LABELS, MARK: mark(made)}
    swarm.changed.update(labels=labels, image=made.image, replicas=made.wanted.replicas)
    return swarm


def test_first_release(brought):
    """The key becomes a secret, the stack gets its number, and all tasks run in the end."""
    swarm = Replayed("updating", "updating", "completed")
    done, said = brought(swarm)

    assert done.changed
    assert done.image == IMAGE
    assert swarm.values == {"tiny-service-key-1": SECRET.encode() + b"\n"}
    assert swarm.done[0] == "deploy tiny-service stack.yaml {'KEY_VERSION': '1'} True"
    assert said[:2] == ["the key is the secret tiny-service-key-1, made just now", f"starting {NAME}"]
    assert said[-1].startswith("2 of 2 new tasks are healthy")
    assert SECRET not in str(said)


@pytest.mark.parametrize(("rotate", "number"), [(False, "1"), (True, "3")])
def test_key(brought, rotate, number):
    """The version in use is taken again, even if there is a newer one; a new one gets the next number."""
    swarm = Replayed("completed", before="completed", secrets=["tiny-service-key-1", "tiny-service-key-2"])
    brought(swarm, rotate_key=rotate)
    assert f"'KEY_VERSION': '{number}'" in swarm.done[0]


def test_unused_keys(brought):
    """Versions that dockyard made and nothing uses go; those of others stay."""
    swarm = Replayed("completed", before="completed", secrets=["tiny-service-key-1", "tiny-service-key-2"])
    swarm.kept["tiny-service-key-9"] = {}
    brought(swarm)
    assert sorted(swarm.kept) == ["tiny-service-key-1", "tiny-service-key-9"]


def test_no_key(workload, tmp_path):
    """Without a key nothing is deployed."""
    swarm = Replayed("first")

    def none():
        raise SettingsError("There is no API key.", "API_KEY is not set.", "Set it.")

    with pytest.raises(SettingsError):
        up.up(workload(), tmp_path / "f", swarm=swarm, orders=Orders(find_key=none), announce=str)
    assert swarm.done == []


def test_nothing_changed(brought, workload):
    """What the swarm was asked for already is not asked for again."""
    swarm = unchanged(Replayed(before="completed", secrets=["tiny-service-key-1"]), workload)
    done, _ = brought(swarm)
    assert not done.changed
    assert swarm.done == []


@pytest.mark.parametrize(
    "changed",
    [{"image": IMAGE.replace("a1", "b2")}, {"replicas": 1}, {"secrets": ()}, {"labels": LABELS}, {"update": "paused"}],
    ids=lambda each: next(iter(each)),
)
def test_something_changed(brought, workload, changed):
    """Whatever somebody changed in the swarm since is put right."""
    swarm = unchanged(Replayed("completed", before="completed", secrets=["tiny-service-key-1"]), workload)
    swarm.changed.update(changed)
    done, _ = brought(swarm)
    assert done.changed


def test_a_tag_is_always_deployed(brought, workload):
    """The image that a tag means may be another one by now."""
    tag = "registry.example/team/tiny-service:prod"
    swarm = unchanged(Replayed("completed", before="completed", secrets=["tiny-service-key-1"]), workload, of=tag)
    done, _ = brought(swarm, of=tag)
    assert done.changed


def test_no_registry(brought):
    """An image that names no registry is looked up in none."""
    swarm = Replayed("completed")
    brought(swarm, of=f"tiny-service@sha256:{'a1' * 32}")
    assert swarm.done[0].endswith(" False")


def test_taken_back(refused):
    """A failed update says which task ended, why, what it left, and what serves now."""
    swarm = Replayed("rollback-started", "rollback-completed", before="completed", secrets=["tiny-service-key-1"])
    what, why, todo = refused(swarm)

    assert what == "tiny-service failed, and Swarm took it back."
    assert why.splitlines() == [
        "rollback completed; 2 of 2 earlier tasks run",
        "tiny-service.2 on node here: task: non-zero exit (1)",
        "Swarm ended it: its health check failed too often.",
        "Health check: /ready answered 503",
        "Last log lines:",
        "  | about to crash",
        "  | no model here",
    ]
    assert todo.startswith(f"What serves now: {told('rollback-completed')[0].image}, 2 of 2 tasks.")


def test_the_same_failure_again(refused):
    """A task that failed in an earlier try is no reason of this one."""
    swarm = Replayed("rollback-completed", before="rollback-completed", secrets=["tiny-service-key-1"])
    assert refused(swarm)[1] == "rollback completed; 2 of 2 earlier tasks run"


def test_key_of_what_was_taken_back(refused):
    """A new version of the key goes with the release it was made for."""
    swarm = Replayed("rollback-started", "rollback-completed", before="completed", secrets=["tiny-service-key-1"])
    refused(swarm, rotate_key=True)
    assert swarm.values
    assert list(swarm.kept) == ["tiny-service-key-1"]


def test_refused_stack(refused):
    """If Docker does not take the stack, no new version of the key is left."""
    swarm = Replayed("first", refuses=True)
    assert refused(swarm, EngineError)[1] == "no such network"
    assert swarm.kept == {}


def test_deadline(refused):
    """After the deadline Swarm is left to go on, and it is said how it stands."""
    swarm = Replayed("updating", before="completed", secrets=["tiny-service-key-1"])
    what, why, todo = refused(swarm, deploy__wait=20)

    assert what == "tiny-service is not in place after 20 s."
    assert why == "1 of 2 new tasks are healthy, 1 earlier still run"
    assert todo.startswith(f"Swarm goes on; take it back with `docker service rollback {NAME}`.")


def test_interrupted(refused):
    """Ctrl-C leaves the update to Swarm, and both versions of the key where they are; it is said how it stood."""
    swarm = Replayed("updating", "updating", before="completed", secrets=["tiny-service-key-1"], presses=2)
    why = refused(swarm, Interrupted, rotate_key=True)[1]
    assert "Swarm goes on by itself" in why
    assert "1 of 2 new tasks are healthy" in why
    assert len(swarm.kept) == 2


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (SwarmFacts(state="inactive", manager=False, node="", error=""), ["in no swarm", "`docker swarm init`"]),
        (SwarmFacts(state="active", manager=False, node="n", error=""), ["a worker", "Deploy from a manager"]),
        (SwarmFacts(state="locked", manager=False, node="", error=""), ["cannot be used", "It is locked."]),
        (SwarmFacts(state="error", manager=False, node="", error="no quorum"), ["It is error. no quorum"]),
    ],
    ids=lambda each: getattr(each, "state", ""),
)
def test_no_manager(refused, facts, words):
    """An engine that manages no swarm is refused, with what to do; none is made."""
    swarm = Replayed(facts=facts)
    told = "\n".join(refused(swarm, EngineError))
    assert "nothing was deployed" in told
    assert [word for word in words if word not in told] == []
    assert (swarm.done, swarm.kept) == ([], {})


def test_init(brought):
    """A swarm is made if that is said, at the address of the settings."""
    swarm = Replayed("completed", facts=SwarmFacts(state="inactive", manager=False, node="", error=""))
    brought(swarm, init=True, deploy__swarm__advertise="192.0.2.7")
    assert swarm.done[0] == "init 192.0.2.7"


def test_a_worker_is_not_initialised(refused):
    """An engine that is in a swarm is never put into another."""
    swarm = Replayed(facts=SwarmFacts(state="active", manager=False, node="n", error=""))
    refused(swarm, EngineError, init=True)
    assert swarm.done == []


def test_somebody_elses_service(refused):
    """A service of that name which this project did not deploy is left alone."""
    swarm = Replayed("completed", before="completed")
    swarm.changed["labels"] = {}
    assert "not this project's" in refused(swarm)[0]
    assert (swarm.done, swarm.kept) == ([], {})


def test_mark_is_in_the_stack(workload):
    """What is compared is what the stack says."""
    made = workload()
    assert marked(made)["services"]["tiny-service"]["deploy"]["labels"][MARK] == mark(made)
