"""The gateway on a real engine: swaps under load lose no request; killed anywhere, it serves the old or the new one."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from serving import KEY, again, cut_off, docker, folder_of, invoke, serves, swept

from dockyard import gateway, pipeline
from dockyard.errors import DeployError
from dockyard.pipeline import observe
from dockyard.pipeline.gateway import process_of
from dockyard.run import rollout, swap
from load import Load
from support import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dockyard.engines import Engine
    from dockyard.pipeline import Project

pytestmark = pytest.mark.operations
NAMES = ("set aside", "take the name")
STEPS = ("start the new one", "wait for the new one", "send requests to the new one", "stop the old one")
BODY = json.dumps({"surface": 4}).encode()


@pytest.fixture
def service(tmp_path: Path, images: str, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project with a gateway, that runs nothing yet."""
    monkeypatch.setenv("API_KEY", KEY)
    monkeypatch.setenv("DOCKYARD_RUN_GATEWAY", "true")
    project = opened(folder_of(tmp_path / "service", images), engine, {"run.gateway": True})
    yield project
    tidy(project, engine)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, images: str, engine: Engine) -> Iterator[Project]:
    """A project that serves behind its gateway, to be killed again and again."""
    project = opened(folder_of(tmp_path_factory.mktemp("killed") / "service", images), engine, {"run.gateway": True})
    started = invoke(project, "run", "--prod", DOCKYARD_RUN_GATEWAY="true")
    assert started.returncode == 0, started.stderr
    yield project
    tidy(project, engine)


def tidy(project: Project, engine: Engine) -> None:
    swept(project, engine)
    for volume in engine.daemon.volumes(project.label):
        if volume.startswith(project.settings.run.name):
            engine.buildx.remove_volume(volume)


@pytest.fixture
def changed(service: Project) -> Callable[..., Project]:
    """Return the project with other settings, given as dotted keys."""
    return lambda **given: again(service, **{"run__gateway": True, **given})


def load(url: str) -> Load:
    return Load(url, "/predict", BODY, {"X-API-Key": KEY})


def assert_settled(project: Project) -> None:
    """The gateway and one container behind it, to which alone it sends; no journal."""
    daemon, name = project.engine.daemon, project.settings.run.name
    there = {each.name.removeprefix(name) for each in daemon.containers(label=project.label) if name in each.name}
    assert there == {"", "-gateway"}
    assert not list((project.settings.state / "run").glob("*"))
    facts = pipeline.own(project)
    assert process_of(project).admin.serving(facts.id)
    assert gateway.behind(facts)


def asked(url: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request("GET", "/ready")
    answer = connection.getresponse()
    told = answer.status, answer.read()
    connection.close()
    return told


def until(reached: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until it is so; what cannot be asked yet is not so."""
    end = time.monotonic() + seconds
    while True:
        with suppress(OSError, http.client.HTTPException):
            if reached():
                return
        assert time.monotonic() < end
        time.sleep(0.1)


def test_no_request_is_lost(service: Project, changed: Callable[..., Project]) -> None:
    """Under full load, slow requests in flight, three swaps, one of them a rollback, lose no request."""
    url = pipeline.start_production(service).url
    with load(url) as clients:
        for tag in ("two", "three"):
            assert pipeline.start_production(changed(tag=tag)).url == url
        pipeline.rollback(service)
    assert serves(service) == "two"
    assert clients.failed == []
    assert {each.kind for each in clients.asked} == {"keep", "new", "slow"}
    assert min(each.seconds for each in clients.asked if each.kind == "slow") >= 3
    assert_settled(service)


def test_a_slow_request_is_waited_for(service: Project, changed: Callable[..., Project]) -> None:
    """The old one lives until what it has begun is answered, but not longer than it is given."""
    url = pipeline.start_production(service).url
    with Load(url, "/predict", BODY, {"X-API-Key": KEY}, clients=(0, 0, 1), slow=12) as clients:
        pipeline.start_production(changed(tag="two", run__stop_timeout=30))
    assert clients.failed == []
    with Load(url, "/predict", BODY, {"X-API-Key": KEY}, clients=(0, 0, 1), slow=20) as clients:
        started = pipeline.start_production(changed(tag="three", run__stop_timeout=1))
    assert any("took longer" in each for each in started.notes)
    assert len(clients.failed) == 1


def test_the_watch_sends_them_back(service: Project, changed: Callable[..., Project]) -> None:
    """A new one that predicts wrongly in its watch window is taken back without a lost request: exit code 7."""
    url = pipeline.start_production(service).url
    old = pipeline.own(service)
    failing = changed(tag="two", run__env={"MODE": "lies", "AFTER": "8"}, run__watch=12)
    with load(url) as clients, pytest.raises(DeployError, match="failed after it took over") as caught:
        pipeline.start_production(failing)
    assert "The old container runs again." in caught.value.todo
    assert clients.failed == []
    assert (pipeline.own(service).id, serves(service)) == (old.id, "one")
    assert_settled(service)


def test_the_gateway_is_confined(service: Project) -> None:
    """It runs without root and capabilities, cannot write its own file system, and has limits; others have no port."""
    pipeline.start_production(service)
    name = service.settings.run.name
    told = json.loads(docker("inspect", f"{name}-gateway"))[0]
    host = told["HostConfig"]
    assert told["Config"]["User"] == "1000:1000"
    assert told["Config"]["Labels"]["dev.dockyard.role"] == "gateway"
    assert (host["ReadonlyRootfs"], host["CapDrop"]) == (True, ["ALL"])
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert min(host["Memory"], host["PidsLimit"], host["NanoCpus"]) > 0
    assert [each["RW"] for each in told["Mounts"]] == [False]
    (address,) = json.loads(docker("inspect", name))[0]["NetworkSettings"]["Ports"]["8000/tcp"]
    assert address["HostIp"] == "127.0.0.1"
    assert KEY not in json.dumps(told)


def test_it_comes_back_with_the_right_one(service: Project, changed: Callable[..., Project]) -> None:
    """A gateway that starts again sends requests to the one that served, and so it does to one that starts again."""
    pipeline.start_production(service)
    pipeline.start_production(changed(tag="two"))
    name = service.settings.run.name
    docker("restart", name, f"{name}-gateway")
    url = process_of(service).url
    until(lambda: asked(url)[0] == 200)
    assert serves(service) == "two"
    assert_settled(service)


def test_stopped(service: Project, changed: Callable[..., Project]) -> None:
    """While the service is stopped the gateway says so with 503; the next one takes over on the same port."""
    url = pipeline.start_production(service).url
    pipeline.stop(service)
    status, body = asked(url)
    assert (status, json.loads(body)) == (503, {"detail": "The service is stopped or not ready."})
    assert pipeline.start_production(changed(tag="two")).url == url
    assert serves(service) == "two"
    assert_settled(service)


def test_switched_on_and_off(service: Project, changed: Callable[..., Project]) -> None:
    """On and off again each goes through one short swap, on the same port; then no gateway is left."""
    straight = pipeline.start_production(changed(run__gateway=False))
    behind = pipeline.start_production(changed(tag="two"))
    assert (behind.url, serves(service)) == (straight.url, "two")
    assert_settled(service)
    off = pipeline.start_production(changed(tag="three", run__gateway=False))
    assert (off.url, serves(service)) == (straight.url, "three")
    assert behind.outage
    assert off.outage
    name = service.settings.run.name
    assert not service.engine.daemon.container(f"{name}-gateway")
    assert not [each for each in service.engine.daemon.volumes(service.label) if each == f"{name}-gateway"]


@pytest.mark.parametrize("first", [False, True])
def test_a_switch_that_fails(service: Project, changed: Callable[..., Project], first: bool) -> None:
    """Switched on or off by a release that fails in its watch, the old way is back."""
    pipeline.start_production(changed(run__gateway=first))
    failing = changed(tag="two", run__gateway=not first, run__env={"MODE": "lies", "AFTER": "8"}, run__watch=12)
    with pytest.raises(DeployError):
        pipeline.start_production(failing)
    after = changed(run__gateway=first)
    # A free port is another one after a stop.
    assert (serves(after), asked(observe.status(after).url)[0]) == ("one", 200)
    assert bool(observe.status(after).gateway) is first


POINTS = [*((step, "after") for step in (*NAMES, *STEPS)), *((step, "before") for step in STEPS)]


def test_steps(service: Project) -> None:
    """The steps at which it is killed below are all that differ from a swap without a gateway."""
    traffic = gateway.Gateway(process=process_of(service))
    assert tuple(each.name for each in traffic.steps) == STEPS
    assert {each.name for each in (*rollout.PREPARE, *rollout.SETTLE)}.isdisjoint(STEPS)
    assert {each.name for each in swap.Direct.steps} < set(STEPS)


@pytest.mark.parametrize(("step", "when"), POINTS)
def test_killed_on_the_way(killed: Project, step: str, when: str) -> None:
    """Killed at any step, requests are answered before anybody comes; the next command finishes or undoes."""
    before = serves(killed)
    other = "two" if before == "one" else "one"
    words = ("run", "--prod", "--tag", other)
    url = process_of(killed).url
    cut_off(killed, "dockyard.run.replace", step, when, *words, DOCKYARD_RUN_GATEWAY="true")
    assert asked(url)[0] == 200
    looked = invoke(killed, "status", DOCKYARD_RUN_GATEWAY="true")
    assert looked.returncode == 0, looked.stderr
    assert f"was cut off at the step `{step}`" in looked.stderr
    started = STEPS.index(step) + (when == "after") if step in STEPS else 0
    assert serves(killed) == (other if started else before)
    assert asked(url)[0] == 200
    assert_settled(killed)


@pytest.mark.parametrize(("step", "when"), [(NAMES[0], "before"), *((step, "after") for step in (*NAMES, *STEPS))])
def test_killed_on_the_way_back(killed: Project, step: str, when: str) -> None:
    """Killed while requests go back to the old one, they are answered, and the next command brings it back."""
    before = serves(killed)
    other = "two" if before == "one" else "one"
    url = process_of(killed).url
    words = ("run", "--prod", "--tag", other)
    environment = {"DOCKYARD_RUN_WATCH": "1", "DOCKYARD_RUN_GATEWAY": "true"}
    cut_off(killed, "dockyard.run.back", step, when, *words, **environment)
    assert asked(url)[0] == 200
    looked = invoke(killed, "status", DOCKYARD_RUN_GATEWAY="true")
    assert f"was cut off at the step `{step}`" in looked.stderr
    assert serves(killed) == before
    assert_settled(killed)
