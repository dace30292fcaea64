"""The replace on a real engine: the gate, the swap, the watch, the way back, releases, and a kill at every step."""

from __future__ import annotations

import json
import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from serving import (
    KEY,
    again,
    around,
    assert_settled,
    cut_off,
    docker,
    folder_of,
    interrupted,
    invoke,
    lines,
    serves,
    swept,
)

from dockyard import pipeline, run
from dockyard.errors import DeployError, EngineError, SettingsError, UnhealthyError
from dockyard.run import ports, rollout, swap
from dockyard.state import LockedError
from support import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockyard.engines import Engine
    from dockyard.pipeline import Project

pytestmark = pytest.mark.operations
FORWARD = (*rollout.PREPARE, *(swap.Step(name=name, act=print) for name in ("set aside", "take the name")))
FORWARD += (*swap.Direct.steps, *rollout.SETTLE)
BACK = ("set aside", "take the name", *(step.name for step in swap.Direct.steps))


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, images: str, engine: Engine) -> Iterator[Project]:
    """A project that serves, to be killed again and again."""
    project = opened(folder_of(tmp_path_factory.mktemp("killed") / "service", images), engine)
    started = invoke(project, "run", "--prod")
    assert started.returncode == 0, started.stderr
    yield project
    swept(project, engine)


@pytest.fixture
def changed(service: Project) -> Callable[..., Project]:
    """Return the project with other settings, given as dotted keys."""
    return lambda **given: again(service, **given)


def test_replace(service: Project, changed: Callable[..., Project]) -> None:
    """A proved candidate makes way for the new one on the same port; what clients noticed is counted; logs stay."""
    first = pipeline.start_production(service)
    before = lines(service)
    second = pipeline.start_production(changed(tag="two", run__watch=1))
    assert (first.release, first.outage, second.release, second.url) == (
        second.release - 1,
        None,
        second.release,
        first.url,
    )
    assert second.outage
    assert 0 < second.outage.failed < second.outage.asked
    assert 0 < second.outage.silent < second.outage.seconds + 1
    assert serves(service) == "two"
    assert lines(service)[: len(before)] == before
    assert_settled(service)
    kept = run.Releases(service.state, service.settings.run.name).all()
    assert [each.verdict for each in kept] == ["good", "good"]
    assert kept[1].checks
    assert KEY not in json.dumps([path.read_text() for path in (service.settings.state / "releases").iterdir()])


def test_the_candidate_has_logs_of_its_own(service: Project, changed: Callable[..., Project]) -> None:
    """While the old one serves no other process writes into its log: what the candidate is asked is not in there."""
    pipeline.start_production(service)
    before = lines(service)
    with pytest.raises(UnhealthyError):
        pipeline.start_production(changed(tag="two", run__env={"MODE": "lies"}))
    assert lines(service) == before


@pytest.mark.parametrize(
    ("mode", "told"),
    [("crash", "code 1"), ("unready", "/ready answered 503"), ("lies", "predicted_price is 63")],
)
def test_a_failing_candidate_leaves_the_old_one_alone(
    service: Project, changed: Callable[..., Project], mode: str, told: str
) -> None:
    """A candidate that exits, is never healthy or predicts wrongly ends with 6, kept evidence and no other trace."""
    pipeline.start_production(service)
    before = docker("inspect", service.settings.run.name, "--format", "{{.Id}} {{.State.StartedAt}} {{.Name}}")
    with pytest.raises(UnhealthyError, match="-candidate") as caught:
        pipeline.start_production(changed(tag="two", run__env={"MODE": mode}, run__wait=10))
    assert caught.value.exit_code == 6
    assert told in f"{caught.value.what}\n{caught.value.why}"
    assert "The old container was not touched." in caught.value.todo
    (kept,) = (service.settings.state / "failed").iterdir()
    assert str(kept) in caught.value.todo
    files = {path.name: path.read_text() for path in kept.rglob("*") if path.is_file()}
    assert {"why.txt", "inspect.json", "health.txt", "container.log", "logs-tiny.log"} <= set(files)
    assert json.loads(files["inspect.json"])["Config"]["User"] == "1000:1000"
    assert not [name for name, text in files.items() if KEY in text]
    assert docker("inspect", service.settings.run.name, "--format", "{{.Id}} {{.State.StartedAt}} {{.Name}}") == before
    assert_settled(service)
    assert len(run.Releases(service.state, service.settings.run.name).all()) == 1


@pytest.mark.parametrize(
    ("mode", "told"),
    [("dies", "code 3"), ("sickens", "gave no 200, 3 times in a row"), ("lies", "predicted_price is 63")],
)
def test_the_watch_brings_the_old_one_back(
    service: Project, changed: Callable[..., Project], mode: str, told: str
) -> None:
    """One that dies, becomes unhealthy or predicts wrongly after it took over is taken back: exit code 7."""
    pipeline.start_production(service)
    old = pipeline.own(service)
    failing = changed(
        tag="two", run__env={"MODE": mode, "AFTER": "6"}, run__watch=30, run__restart="no", run__stop_timeout=2
    )
    with pytest.raises(DeployError, match="failed after it took over") as caught:
        pipeline.start_production(failing)
    assert caught.value.exit_code == 7
    assert told in caught.value.why
    assert "The old container runs again." in caught.value.todo
    assert "requests failed" in caught.value.todo
    assert (pipeline.own(service).id, serves(service)) == (old.id, "one")
    assert_settled(service)
    verdicts = [each.verdict for each in run.Releases(service.state, service.settings.run.name).all()]
    assert verdicts == ["good", "failed"]


def test_rollback_walks_back(service: Project, changed: Callable[..., Project]) -> None:
    """Without an argument it goes to the good release before, never to the one just left; with one, to that."""
    numbers = [pipeline.start_production(changed(tag=tag)).release for tag in ("one", "two", "three")]
    pipeline.rollback(service)
    assert serves(service) == "two"
    pipeline.rollback(service)
    assert serves(service) == "one"
    with pytest.raises(EngineError, match="no release of"):
        pipeline.rollback(service)
    rows = pipeline.releases(service)
    assert [row.runs for row in rows] == [True, *[False] * (len(rows) - 1)]
    assert {row.verdict for row in rows} == {"good", "rolled back"}
    with pytest.raises(SettingsError, match="names no release"):
        pipeline.rollback(service, to="999")
    pipeline.rollback(service, to=str(numbers[2]))
    assert serves(service) == "three"


def test_a_rollback_needs_no_key(
    service: Project, changed: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key that comes with a rollback is the one in use, wherever it once came from."""
    pipeline.start_production(service)
    pipeline.start_production(changed(tag="two"))
    monkeypatch.delenv("API_KEY")
    pipeline.rollback(service)
    assert serves(service) == "one"


def test_a_rollback_brings_the_settings_of_its_time(service: Project, changed: Callable[..., Project]) -> None:
    """Environment, limits and logs folder come back with the image."""
    pipeline.start_production(changed(run__env={"GREETING": "once"}, run__memory="128m"))
    pipeline.start_production(changed(tag="two", run__memory="256m"))
    pipeline.rollback(service)
    told = json.loads(docker("inspect", service.settings.run.name))[0]
    assert "GREETING=once" in told["Config"]["Env"]
    assert told["HostConfig"]["Memory"] == 128 * 2**20
    assert any(each["Destination"] == "/app/logs" and each["RW"] for each in told["Mounts"])


def test_kept_images_outlive_their_tags(service: Project, changed: Callable[..., Project]) -> None:
    """A release's image has a name of its own, so that it is there when its tag is gone; the oldest are let go."""
    repository = service.settings.image
    docker("tag", f"{repository}:one", f"{repository}:moving")
    numbers = [pipeline.start_production(changed(tag="moving")).release]
    docker("rmi", "-f", f"{repository}:moving")
    numbers += [pipeline.start_production(changed(tag="two")).release]
    pipeline.rollback(service)
    assert serves(service) == "one"
    for tag in ("two", "three"):
        numbers.append(pipeline.start_production(changed(tag=tag, run__keep_releases=2)).release)
    daemon = service.engine.daemon
    there = [daemon.image(f"{repository}:release-{number}") is not None for number in numbers]
    assert there == [False, False, True, True]
    assert len([row for row in pipeline.releases(service) if not row.origin]) == 2
    assert daemon.image(f"{repository}:one")


def test_a_lost_image_is_told(service: Project, changed: Callable[..., Project]) -> None:
    """A release whose image somebody removed is refused before anything changes, and the service goes on."""
    first = pipeline.start_production(service)
    pipeline.start_production(changed(tag="two"))
    docker("rmi", f"{service.settings.image}:release-{first.release}")
    with pytest.raises(EngineError, match=f"The image of release {first.release} is gone"):
        pipeline.rollback(service)
    assert serves(service) == "two"


def test_a_port_taken_meanwhile(service: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that somebody takes between the check and the start is told with its holder, and nothing is left."""
    with socket.socket() as thief:
        thief.bind(("127.0.0.1", 0))
        port = thief.getsockname()[1]
        fixed = again(service, run__port=port)
        real = ports.require_free
        monkeypatch.setattr(
            "dockyard.run.ports.require_free",
            lambda *given, own, **named: (
                real(*given, own=own, **named)
                if thief.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                else thief.listen()
            ),
        )
        with pytest.raises(EngineError, match=f"Port {port} is taken") as caught:
            pipeline.start_production(fixed)
    assert f"(pid {os.getpid()})" in caught.value.why
    assert around(service) == ([], [])


def test_two_at_once(service: Project) -> None:
    """Of two commands at the same time one works, and the other is told who is at it."""
    results: list[object] = []

    def start() -> None:
        try:
            results.append(pipeline.start_production(again(service)))
        except LockedError as error:
            results.append(error)

    threads = [threading.Thread(target=start) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    (refused,) = [each for each in results if isinstance(each, LockedError)]
    assert f"(process {os.getpid()}, since " in refused.why
    assert serves(service) == "one"
    assert_settled(service)


def test_ctrl_c_in_the_watch(service: Project) -> None:
    """Ctrl-C while the new one is watched brings the old one back, and ends with 130."""
    pipeline.start_production(service)
    rest = interrupted(service, "watching it", "run", "--prod", "--tag", "two", DOCKYARD_RUN_WATCH="60")
    assert "The old container runs again." in rest
    assert serves(service) == "one"
    assert_settled(service)


POINTS = [(FORWARD[0].name, "before"), *((step.name, "after") for step in FORWARD)]
POINTS += [(step.name, "before") for step in swap.Direct.steps]


@pytest.mark.parametrize(("step", "when"), POINTS)
def test_killed_on_the_way(killed: Project, step: str, when: str) -> None:
    """Killed at any step, the next command says so, and the service is up: the old one, or the new one if it serves."""
    before = serves(killed)
    other = "two" if before == "one" else "one"
    logged = lines(killed)
    cut_off(killed, "dockyard.run.replace", step, when, "run", "--prod", "--tag", other)
    looked = invoke(killed, "status")
    assert looked.returncode == 0, looked.stderr
    assert f"was cut off at the step `{step}`" in looked.stderr
    taken = [each.name for each in FORWARD].index(step) >= [each.name for each in FORWARD].index("start the new one")
    finished = taken and (step, when) != ("start the new one", "before")
    assert serves(killed) == (other if finished else before)
    assert_settled(killed)
    assert lines(killed)[: len(logged)] == logged
    newest = pipeline.releases(again(killed))[0]
    assert (newest.version, newest.verdict, newest.runs) == (serves(killed), "good", True)


@pytest.mark.parametrize(("step", "when"), [(BACK[0], "before"), *((step, "after") for step in BACK)])
def test_killed_on_the_way_back(killed: Project, step: str, when: str) -> None:
    """Killed while the old one is brought back, the next command brings it back."""
    before = serves(killed)
    other = "two" if before == "one" else "one"
    cut_off(killed, "dockyard.run.back", step, when, "run", "--prod", "--tag", other, DOCKYARD_RUN_WATCH="1")
    looked = invoke(killed, "status")
    assert f"was cut off at the step `{step}`" in looked.stderr
    assert serves(killed) == before
    assert_settled(killed)


@pytest.mark.parametrize("words", [("run", "--prod", "--tag", "three"), ("stop",), ("rollback", "--to", "1")])
def test_killed_and_another_command(service: Project, words: tuple[str, ...]) -> None:
    """Whatever the next command is, it sees first to what a killed one left."""
    started = pipeline.start_production(service)
    cut_off(service, "dockyard.run.replace", "stop the old one", "after", "run", "--prod", "--tag", "two")
    assert pipeline.own(again(service, run__name=f"{service.settings.run.name}-previous")).status == "exited"
    number = [each.replace("1", str(started.release)) for each in words]
    done = invoke(service, *number)
    assert done.returncode == 0, done.stderr
    assert "was cut off at the step `stop the old one`. It was undone. The old container runs again." in done.stderr
    assert_settled(service)


def test_killed_first_start(service: Project) -> None:
    """A first start that was killed leaves nothing that would be in the way of the next one."""
    cut_off(service, "dockyard.run.replace", "make the new one", "after", "run", "--prod")
    pipeline.start_production(service)
    assert serves(service) == "one"
    assert_settled(service)


def test_the_service_itself(repository: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """house-pricing-api is replaced on its port, watched and gone back from, and loses no line of its log."""
    monkeypatch.setenv("API_KEY", "x3Pq-7Tn2-operators-key-8Wz5-Lk4v-Qm9s")
    pipeline.build_image(repository, progress="quiet")
    same = {"image": repository.settings.image, "run__name": repository.settings.run.name, "run__port": 0}
    first = pipeline.start_production(repository)
    log = repository.settings.root / "logs" / "house-pricing-api.log"
    before = log.read_text().splitlines()
    second = pipeline.start_production(again(repository, **same, run__watch=2, run__memory="600m"))
    assert second.url == first.url
    assert second.outage
    assert second.outage.asked > second.outage.failed > 0
    assert log.read_text().splitlines()[: len(before)] == before
    assert pipeline.rollback(repository).replaced
    assert pipeline.own(repository).memory == 512 * 2**20
    assert pipeline.first_prediction(repository)
    assert_settled(repository)
