from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dockyard.machine import engine
from dockyard.machine.engine import Place
from dockyard.machine.packages import INSTALL_PAGE
from unit.machine.conftest import STARTED, system
from unit.machine.test_packages import NEW

GONE = "[Errno 2] No such file or directory"
LOOKED = ("docker", "context", "show")


@pytest.fixture
def place(root, tmp_path) -> Place:
    """A machine without a service manager, on which an engine is installed and stopped."""
    installed = root / "usr/sbin/dockerd"
    installed.parent.mkdir(parents=True)
    installed.touch()
    return Place(root=root, log=tmp_path / "state/dockerd.log", environment={}, deadline=5)


@pytest.fixture
def bare(place) -> Place:
    """The same machine without the engine."""
    (place.root / "usr/sbin/dockerd").unlink()
    return place


def prepare(place, daemon):
    announced: list[str] = []
    finding = engine.prepare(place, daemon, announced.append)
    assert finding.subject == "engine"
    return finding, announced


def test_reachable(door, place, daemon):
    """An engine that answers is found, and nothing is run."""
    finding, announced = prepare(place, daemon)

    assert (finding.state, finding.detail) == ("found", "Docker 26.1.5, containerd image store")
    assert (door.calls, door.started, announced) == ([], [], [])


@pytest.mark.parametrize(("there", "detail"), [(True, "installed and does not run"), (False, "not installed")])
def test_look(door, place, daemon, there, detail):
    """Looking says whether the engine is stopped or not there, and changes nothing."""
    daemon.refusals = [GONE]
    if not there:
        (place.root / "usr/sbin/dockerd").unlink()

    finding = engine.look(place, daemon)

    assert finding.state == "missing"
    assert detail in finding.detail
    assert "invoke setup" in finding.todo
    assert set(door.calls) <= {LOOKED}
    assert door.started == []


@pytest.mark.parametrize(
    ("given", "detail", "todo"),
    [
        pytest.param({"why": "Permission denied"}, "may not use its socket", "docker $USER", id="not-in-group"),
        pytest.param({"host": "tcp://far:1"}, "tcp://far:1", "unset it", id="other-host"),
        pytest.param({"context": "rootless"}, "docker context rootless", "docker context use default", id="context"),
        pytest.param({"platform": "darwin"}, "No engine answers", INSTALL_PAGE, id="macos"),
    ],
)
def test_unusable(door, place, daemon, monkeypatch, given, detail, todo):
    """Where starting an engine here would not help, it is refused with what does."""
    daemon.refusals = [given.get("why", GONE)]
    door.answer("docker context show", output=given.get("context", "default") + "\n")
    monkeypatch.setattr("sys.platform", given.get("platform", "linux"))
    environment = {"DOCKER_HOST": given["host"]} if "host" in given else {}

    finding, _ = prepare(replace(place, environment=environment), daemon)

    assert finding.state == "refused"
    assert detail in finding.detail
    assert todo in finding.todo
    assert set(door.calls) <= {LOOKED}
    assert door.started == []


def test_detached(door, place, daemon):
    """Without a service manager a stopped engine is started detached, with its log in the state folder."""
    daemon.refusals = [GONE, GONE, GONE, "answers"]

    finding, announced = prepare(place, daemon)

    assert finding.state == "done"
    assert finding.detail == "Docker 26.1.5, containerd image store (started)"
    assert door.started == [((str(place.root / "usr/sbin/dockerd"),), place.log)]
    assert announced == ["Starting the engine."]


def test_systemd(door, place, daemon):
    """Where systemd runs, it starts the engine."""
    (place.root / "run/systemd/system").mkdir(parents=True)
    daemon.refusals = [GONE, "answers"]

    assert prepare(place, daemon)[0].state == "done"
    assert [call for call in door.calls if call != LOOKED] == [("systemctl", "start", "docker")]
    assert door.started == []


def test_systemd_fails(door, place, daemon):
    """What systemd says is shown, and where to read on."""
    (place.root / "run/systemd/system").mkdir(parents=True)
    daemon.refusals = [GONE]
    door.answer("systemctl", error="Job for docker.service failed.\n", code=1)

    finding, _ = prepare(place, daemon)

    assert finding.state == "refused"
    assert "Job for docker.service failed." in finding.detail
    assert "journalctl" in finding.todo


def leave(place: Place, name: str, text: str, program: str | None) -> None:
    """Leave a pid file behind, and a process of that id if a program is named."""
    file = place.root / "run" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    if program:
        comm = place.root / "proc" / text.strip() / "comm"
        comm.parent.mkdir(parents=True)
        comm.write_text(program + "\n")


@pytest.fixture(autouse=True)
def alive(door):
    """The process that pid files name runs, unless a test says otherwise."""
    door.alive.add(71)


@pytest.mark.parametrize("name", ["docker.pid", "docker/containerd/containerd.pid"])
@pytest.mark.parametrize(
    ("text", "program"),
    [("71", None), ("71\n", "postgres"), ("71", "dockerd"), ("", None), ("rubbish", None)],
    ids=["dead", "taken-over", "zombie", "empty", "rubbish"],
)
def test_stale(door, place, daemon, name, text, program):
    """A pid file whose process is gone, or is another program by now, is removed before the engine starts."""
    leave(place, name, text, program)
    door.alive.discard(71) if program == "dockerd" else None
    daemon.refusals = [GONE, "answers"]

    assert prepare(place, daemon)[0].state == "done"
    assert not (place.root / "run" / name).exists()
    assert len(door.started) == 1


def test_containerd_runs(door, place, daemon):
    """A containerd that outlived its engine keeps its pid file: the new engine takes it over."""
    leave(place, "docker/containerd/containerd.pid", "71", "containerd")
    daemon.refusals = [GONE, "answers"]

    prepare(place, daemon)

    assert (place.root / "run/docker/containerd/containerd.pid").exists()


def test_starting_already(door, place, daemon):
    """A dockerd that runs and does not answer yet is waited for; no second one is started."""
    leave(place, "docker.pid", "71", "dockerd")
    daemon.refusals = [GONE, GONE, "answers"]

    assert prepare(place, daemon)[0].state == "done"
    assert door.started == []
    assert (place.root / "run/docker.pid").exists()


def test_ends_at_once(door, place, daemon):
    """An engine that ends at its start is not waited for, and its own last lines say why."""
    place.log.parent.mkdir()
    place.log.write_text("an older start said this\n")
    daemon.refusals = [GONE]
    door.alive.clear()

    def complain(log):
        with log.open("a") as stream:
            stream.write("one\n\nfailed to start daemon: no space left\n")

    door.on_start = complain
    finding, _ = prepare(replace(place, deadline=3600), daemon)

    assert finding.state == "refused"
    assert finding.detail == ("The engine was started and ended at once. one\nfailed to start daemon: no space left")
    assert finding.todo == f"Read {place.log}."


@pytest.mark.parametrize(("slow", "state"), [(1, "done"), (2, "done"), (99, "refused")])
def test_too_slow(door, place, daemon, slow, state):
    """An engine that ended because it was too slow for its own deadline is started again, but not for ever."""
    place.log.parent.mkdir()
    daemon.refusals = [GONE]
    door.alive.clear()
    left = iter(range(slow))

    def start(log):
        if next(left, None) is None:
            daemon.refusals = []
            return
        with log.open("a") as stream:
            stream.write("stopping event stream\ncontext deadline exceeded\n")

    door.on_start = start
    finding, announced = prepare(place, daemon)

    assert finding.state == state
    assert len(door.started) == min(slow + 1, engine.STARTS)
    assert announced.count("The engine ended before it had read its build cache. Starting it again.") == min(
        slow, engine.STARTS - 1
    )


def test_never_answers(door, place, daemon):
    """An engine that runs and never answers is given up at the deadline."""
    daemon.refusals = [GONE]

    finding, _ = prepare(replace(place, deadline=0.2), daemon)

    assert finding.state == "refused"
    assert finding.detail == "The engine was started and does not answer after 0.2 s. Its log is empty."


def test_second_start(door, place, daemon):
    """When the package started an engine a moment before us and ours ends, theirs is waited for."""
    daemon.refusals = [GONE, GONE, GONE, "answers"]
    door.alive.remove(STARTED)
    door.on_start = lambda _: leave(place, "docker.pid", "71", "dockerd")

    assert prepare(place, daemon)[0].state == "done"


def test_group_after_start(door, place, daemon, monkeypatch):
    """An engine that was started through sudo and that this user may not use is not waited for."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    daemon.refusals = [GONE, "PermissionError(13, 'Permission denied')"]

    finding, _ = prepare(replace(place, deadline=3600), daemon)

    assert finding.state == "refused"
    assert "The engine runs now." in finding.detail
    assert "docker $USER" in finding.todo
    assert door.started[0][0][:2] == ("sudo", "-n")


def test_may_not_start(door, place, daemon, monkeypatch):
    """Neither root nor sudo: the stopped engine stays so, and how to start it is said."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    door.answer("sudo -n true", code=1)
    daemon.refusals = [GONE]

    finding, _ = prepare(place, daemon)

    assert finding.state == "refused"
    assert "sudo -v" in finding.todo
    assert door.started == []


def test_installs(door, bare, daemon):
    """A missing engine is installed with the containerd image store on, before anything may start it."""
    door.answer("apt-cache policy", output=NEW)
    daemon.refusals = [GONE, "answers"]

    finding, announced = prepare(bare, daemon)

    assert finding.state == "done"
    assert finding.detail.endswith("(installed from this machine's package sources, started)")
    assert len(announced) == 2
    configuration = bare.root / "etc/docker/daemon.json"
    assert json.loads(configuration.read_text()) == {"features": {"containerd-snapshotter": True}}
    said = [" ".join(call) for call in door.calls]
    written = next(number for number, each in enumerate(said) if "daemon.json" in each)
    assert written < next(number for number, each in enumerate(said) if "apt-get -y" in each)


@pytest.mark.parametrize("code", [0, 100])
def test_configuration_kept(door, bare, daemon, code):
    """A configuration of the engine that is there already stays as it is, whether the installation succeeds or not."""
    configuration = bare.root / "etc/docker/daemon.json"
    configuration.parent.mkdir()
    configuration.write_text('{"debug": true}')
    door.answer("apt-cache policy", output=NEW)
    door.answer("apt-get -y", code=code)
    daemon.refusals = [GONE, "answers"]

    prepare(bare, daemon)

    assert configuration.read_text() == '{"debug": true}'


def test_installation_fails(door, bare, daemon):
    """An installation that fails leaves no configuration of an engine that is not there."""
    door.answer("apt-cache policy", output=NEW)
    door.answer("apt-get -y", error="E: no space left\n", code=100)
    daemon.refusals = [GONE]

    finding, _ = prepare(bare, daemon)

    assert finding.state == "refused"
    assert "E: no space left" in finding.detail
    assert not (bare.root / "etc/docker/daemon.json").exists()
    assert door.started == []


def test_other_distribution(door, tmp_path, daemon):
    """On another distribution the engine is refused with the page to read, and nothing is written."""
    root = system(tmp_path / "root", "fedora", "", like="rhel")
    (tmp_path / "root" / "bare").mkdir()
    daemon.refusals = [GONE]

    finding, _ = prepare(Place(root=root, log=tmp_path / "log", environment={}), daemon)

    assert finding.state == "refused"
    assert INSTALL_PAGE in finding.todo
    assert not (root / "etc/docker").exists()
    assert set(door.calls) <= {LOOKED}
