"""A key rotated on a real engine: no good key is refused meanwhile, none is seen, and a kill leaves it open."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest
from serving import KEY, again, cut_off, docker, folder_of, interrupted, invoke, swept

from dockyard import pipeline, run
from dockyard.errors import EngineError, SettingsError, UnhealthyError
from dockyard.run import rotate
from dockyard.run.rotation import OVERLAP
from support import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dockyard.engines import Engine
    from dockyard.pipeline import Project
    from dockyard.smoke import Target

pytestmark = pytest.mark.operations
OTHER = "another-key-0123456789-0123456789-uvwxyz"
OBEYS = {"run__env": {"MODE": "obeys"}, "run__key_signal": "HUP"}


class Client:
    """Asks for predictions without a pause, with a key that may be changed while it does."""

    def __init__(self, target: Target) -> None:
        self.key, self.answers = KEY, [0]
        self._target, self._ended = target, threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Client:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._ended.is_set():
            self.answers.append(answer(self._target, self.key))


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, images: str, engine: Engine) -> Iterator[Project]:
    """A project that serves, to be killed again and again."""
    project = opened(folder_of(tmp_path_factory.mktemp("killed") / "service", images), engine)
    started = invoke(project, "run", "--prod")
    assert started.returncode == 0, started.stderr
    yield project
    swept(project, engine)


def answer(target: Target, key: str) -> int:
    return target.predict({"surface": 4}, key=key).status


def accepted(project: Project, *keys: str) -> list[bool]:
    """Whether the service accepts each of some keys."""
    target = pipeline.target_of(project, pipeline.own(project))
    return [answer(target, key) == 200 for key in keys]


def kept(project: Project) -> str:
    """The key that is kept for its owner alone."""
    path = project.settings.state / "api_key"
    assert path.stat().st_mode & 0o777 == 0o600
    return path.read_text().strip()


def read(path: Path) -> str:
    return "".join(each.read_text() for each in path.rglob("*") if each.is_file())


@pytest.mark.parametrize("settings", [{}, OBEYS], ids=["reads at each request", "reads at SIGHUP"])
def test_rotation(service: Project, settings: dict[str, object], capfd: pytest.CaptureFixture[str]) -> None:
    """While a client asks all the time no request with a good key fails; no key is in what the engine or we tell."""
    project = again(service, **settings)
    pipeline.start_production(project)
    before, since = pipeline.own(project), str(int(time.time()))
    with Client(pipeline.target_of(project, before)) as client:
        path = pipeline.rotate_key(project)
        new = path.read_text().strip()
        assert accepted(project, KEY, new) == [True, True]
        client.key = new
        pipeline.finish_rotation(project)
    assert len(client.answers) > 50
    assert set(client.answers[1:]) == {200}
    assert accepted(project, KEY, new) == [False, True]
    now = pipeline.own(project)
    assert (now.id, now.started, now.restarts) == (before.id, before.started, before.restarts)
    assert kept(project) == new
    told = docker("inspect", now.id) + docker("logs", now.id) + read(project.settings.root / "logs")
    told += docker("events", "--since", since, "--until", str(int(time.time()) + 1), "--format", "{{json .}}")
    told += read(project.settings.state / "rotation") + "".join(capfd.readouterr())
    assert "exec_create" in told or not settings
    assert not [key for key in (KEY, new) if key in told]


def test_a_service_that_does_not_read_again(service: Project) -> None:
    """It ends with 6, says what the service answered, and the old key file is back; the made key is gone."""
    project = again(service, run__env={"MODE": "stubborn"}, run__key_wait=1)
    pipeline.start_production(project)
    with pytest.raises(UnhealthyError, match="does not go by its new key file") as caught:
        pipeline.rotate_key(project)
    assert caught.value.exit_code == 6
    assert "the new key must be accepted, and it answers 401" in caught.value.why
    assert "The old key file was put back, and the old key is accepted." in caught.value.todo
    assert run.keys_of(pipeline.own(project), project.engine) == KEY
    assert accepted(project, KEY) == [True]
    assert not list((project.settings.state / "rotation").iterdir())
    assert not (project.settings.state / "api_key").exists()


def test_a_service_that_keeps_the_old_key(service: Project) -> None:
    """If the old key is accepted on, that is an error, and both stay until it can be finished."""
    project = again(service, run__env={"MODE": "hoards"}, run__key_wait=1)
    pipeline.start_production(project)
    pipeline.rotate_key(project)
    with pytest.raises(UnhealthyError) as caught:
        pipeline.finish_rotation(project)
    assert "the old key must be refused, and it answers 200" in caught.value.why
    assert "Both keys are accepted, as before." in caught.value.todo
    assert run.keys_of(pipeline.own(project), project.engine).split() == [kept(project), KEY]
    known = run.Rotation(project.state, project.settings.run.name).read()
    assert known
    assert known.stage == OVERLAP


def test_what_follows_uses_the_current_key(service: Project) -> None:
    """A replace in the overlap accepts both, one after it the new key alone, whatever API_KEY says; so a rollback."""
    pipeline.start_production(service)
    pipeline.rotate_key(service)
    pipeline.start_production(again(service, tag="two"))
    assert accepted(service, KEY, kept(service)) == [True, True]
    pipeline.finish_rotation(service)
    pipeline.start_production(again(service, tag="three"))
    assert accepted(service, KEY, kept(service)) == [False, True]
    pipeline.rollback(service)
    assert accepted(service, KEY, kept(service)) == [False, True]
    docker("rm", "-f", service.settings.run.name)
    pipeline.start_production(again(service))
    assert accepted(service, KEY, kept(service)) == [False, True]


def test_a_given_key(service: Project, tmp_path: Path) -> None:
    """The new key may come from a file; given to `run --prod` it ends what is known of a rotation."""
    file = tmp_path / "new.env"
    file.write_text(f"API_KEY={OTHER}\n")
    pipeline.start_production(service)
    pipeline.rotate_key(service, env_file=file)
    assert accepted(service, KEY, OTHER) == [True, True]
    assert kept(service) == OTHER
    file.write_text(f"API_KEY={KEY}\n")
    pipeline.start_production(service, env_file=file)
    assert accepted(service, KEY, OTHER) == [True, False]
    with pytest.raises(EngineError, match="no rotation to finish"):
        pipeline.finish_rotation(service)


def test_refused(service: Project, tmp_path: Path) -> None:
    """Without a container, with a key in use, or before the last one is finished, nothing changes."""
    with pytest.raises(EngineError, match="does not run"):
        pipeline.rotate_key(service)
    pipeline.start_production(service)
    file = tmp_path / "new.env"
    file.write_text(f"API_KEY={KEY}\n")
    with pytest.raises(SettingsError, match="one that is in use"):
        pipeline.rotate_key(service, env_file=file)
    assert not (service.settings.state / "rotation").exists()
    pipeline.rotate_key(service)
    keys = run.keys_of(pipeline.own(service), service.engine)
    with pytest.raises(EngineError, match="A rotation is not finished"):
        pipeline.rotate_key(service)
    assert run.keys_of(pipeline.own(service), service.engine) == keys


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may kill the process of a container")
def test_it_is_restarted_on(service: Project) -> None:
    """After a signal that has it read its keys, the engine restarts a container that dies, as its policy says."""
    project = again(service, **OBEYS)
    pipeline.start_production(project)
    pipeline.rotate_key(project)
    pid = json.loads(docker("inspect", project.settings.run.name))[0]["State"]["Pid"]
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while pipeline.own(project).restarts == 0 or not all(accepted(project, KEY, kept(project))):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("step", "when"), [(rotate.INTRODUCE[0].name, "before"), *((each.name, "after") for each in rotate.INTRODUCE)]
)
def test_killed_while_the_new_key_comes(killed: Project, step: str, when: str) -> None:
    """Killed at any step, the old key is accepted; the next `rotate-key` says so and goes on with the same new key."""
    old = run.key_of(pipeline.own(killed), killed.engine)
    cut_off(killed, "dockyard.run.rotate", step, when, "rotate-key")
    assert accepted(killed, old) == [True]
    new = (killed.settings.state / "rotation" / f"{killed.settings.run.name}.new").read_text().strip()
    assert f"was cut off at the step `{step}`. `invoke rotate-key` goes on" in invoke(killed, "status").stderr
    assert invoke(killed, "rotate-key", "--finish").returncode == 3
    assert accepted(killed, old) == [True]
    done = invoke(killed, "rotate-key", "--overlap", "0")
    assert done.returncode == 0, done.stderr
    told = "accepted" if when == "after" else "not accepted"
    assert f"was cut off at the step `{step}`. Now the old key is accepted and the new key is {told}." in done.stderr
    assert accepted(killed, old, new) == [False, True]
    assert not [key for key in (old, new) if key in done.stdout + done.stderr]


@pytest.mark.parametrize(
    ("step", "when"), [(rotate.RETIRE[0].name, "before"), *((each.name, "after") for each in rotate.RETIRE)]
)
def test_killed_while_the_old_key_goes(killed: Project, step: str, when: str) -> None:
    """Killed at any step, the new key is accepted, and the next `rotate-key --finish` goes on."""
    old = run.key_of(pipeline.own(killed), killed.engine)
    assert invoke(killed, "rotate-key").returncode == 0
    new = kept(killed)
    cut_off(killed, "dockyard.run.rotate", step, when, "rotate-key", "--finish")
    assert accepted(killed, new) == [True]
    refused = invoke(killed, "rotate-key")
    assert refused.returncode == 3
    assert f"was cut off at the step `{step}`. `invoke rotate-key --finish` goes on with it." in refused.stderr
    assert invoke(killed, "rotate-key", "--finish").returncode == 0
    assert accepted(killed, old, new) == [False, True]


def test_ctrl_c_in_the_overlap(killed: Project) -> None:
    """Ctrl-C while both keys are accepted leaves both, and ends with 130."""
    old = run.key_of(pipeline.own(killed), killed.engine)
    rest = interrupted(killed, "it is removed in 600 s", "rotate-key", "--overlap", "600")
    assert "`invoke rotate-key --finish` removes it." in rest
    assert accepted(killed, old, kept(killed)) == [True, True]
    assert invoke(killed, "rotate-key", "--finish").returncode == 0
