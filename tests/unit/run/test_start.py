from __future__ import annotations

import json
import os
import socket

import pytest

from dockyard import run
from dockyard.engines import Engine
from dockyard.errors import EngineError, Interrupted, UnhealthyError
from dockyard.plan import production_plan
from dockyard.run import wait
from dockyard.settings import load
from dockyard.settings.key import Key, SecretStr
from support import IMAGE, KEY_VOLUME, PROJECT_LABEL, SECRET, FakeDaemon, chain, container, sentences

KEY = Key(value=SecretStr(SECRET), origin="a test")
NEW_VOLUME = "api-prod-key-new"
USER = f"{os.getuid()}:{os.getgid()}"

WRITE = f"write_volume {NEW_VOLUME} api_key {os.getgid()}"
FIRST = [WRITE, "create api-prod", "container start new-0"]
MAKE = [WRITE, "create api-prod-next"]
ASIDE = ["container rename old-1 api-prod-previous", "container rename new-0 api-prod"]
SWITCH = ["container stop --time 10 old-1", "container start new-0"]
BACK = ["container rename new-0 api-prod-failed", "container rename old-1 api-prod"]
START_OLD = "container start old-1"
DROP_OLD = ["container rm --force --volumes old-1", f"volume remove {KEY_VOLUME}"]


def drop_new(number: int = 0) -> list[str]:
    """The calls that remove the new container and its key."""
    return [f"container rm --force --volumes new-{number}", f"volume remove {NEW_VOLUME}"]


FOREIGN = container(labels={"com.example": "theirs"}, image="postgres:17")
NEIGHBOUR = container(labels={PROJECT_LABEL: "other-service", "dev.dockyard.role": "prod"})
OF_OUR_IMAGE = container(labels={PROJECT_LABEL: IMAGE})
FATES = {
    "exit": ({"health": "starting"}, {"status": "exited", "exit_code": 3}),
    "unhealthy": ({"health": "starting"}, {"health": "unhealthy"}),
    "gone at once": ({"status": "dead"},),
}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """Wait without pausing."""
    monkeypatch.setattr(wait, "PAUSE", 0)


@pytest.fixture
def plan(project):
    """The production container on a free port, for whoever runs the tests."""
    settings = load({"run.port": 0, "run.user": USER, "run.wait": 5}, start=project, environment={}).settings
    return production_plan(settings, token="new")


@pytest.fixture
def story(recorder):
    """What was done to the engine, in its order, in few words."""

    def story() -> list[str]:
        return [
            f"create {call[call.index('--name') + 1]}" if call[0] == "create" else " ".join(call)
            for call in recorder.calls
        ]

    return story


@pytest.fixture
def start(plan, recorder):
    """Start the container on an engine that is as a fake daemon says."""

    def start(daemon: FakeDaemon, **changed):
        return run.start(plan, KEY, engine=Engine(recorder.buildx, daemon), **changed)

    return start


def refused(start, kind: type[Exception], daemon: FakeDaemon) -> tuple[str, str, str]:
    """Start where it must fail, and return the error's three lines."""
    with pytest.raises(kind) as caught:
        start(daemon)
    assert SECRET not in chain(caught.value)
    return sentences(caught.value)


def test_first(start, plan, story, recorder):
    """On an empty engine the key is written first, then the container is started, and it is found healthy."""
    daemon = FakeDaemon(recorder, fates=[{"health": "starting"}, {"health": "healthy"}])
    phases = []

    started = start(daemon, announce=phases.append)

    assert story() == FIRST
    assert daemon.written == (NEW_VOLUME, f"{SECRET}\n".encode(), dict(plan.labels))
    assert (started.name, started.replaced, started.notes) == ("api-prod", False, ())
    assert started.url == "http://127.0.0.1:8000"
    assert 0 < started.seconds < 5
    assert phases == ["starting"]
    assert daemon.names() == {"api-prod": "running"}
    assert daemon.kept == {NEW_VOLUME}
    (folder,) = plan.writable_folders()
    assert folder.is_dir()


def test_key_hidden(start, recorder):
    """The key is in no argument list, and docker is given no variable that could hold it."""
    start(FakeDaemon(recorder, container()))

    assert SECRET not in json.dumps(recorder.calls)
    assert all("API_KEY" not in each["environment"] for each in recorder.told)


def test_replace(start, story, recorder):
    """The old container makes room, and goes with its key once the new one is healthy."""
    daemon = FakeDaemon(recorder, container())

    started = start(daemon)

    assert story() == [*MAKE, *ASIDE, *SWITCH, *DROP_OLD]
    assert started.replaced
    assert daemon.names() == {"api-prod": "running"}
    assert daemon.kept == {NEW_VOLUME}


@pytest.mark.parametrize("there", [FOREIGN, NEIGHBOUR, OF_OUR_IMAGE], ids=["foreign", "neighbour", "of our image"])
def test_foreign_name(start, plan, recorder, there):
    """A container of that name that is not ours is refused, and nothing is touched, not even the logs folder."""
    daemon = FakeDaemon(recorder, there)

    what, why, todo = refused(start, EngineError, daemon)

    assert what == "There is a container api-prod that is not ours, so nothing was started or changed."
    assert there.image in why
    assert "`name` in [tool.dockyard.run]" in todo
    assert recorder.calls == []
    assert not any(folder.exists() for folder in plan.writable_folders())


def test_no_image(start, plan, recorder):
    """Without the image nothing is touched."""
    what, _, todo = refused(start, EngineError, FakeDaemon(recorder, container(), images=()))

    assert what == f"There is no image {IMAGE}:prod."
    assert "invoke build" in todo
    assert recorder.calls == []
    assert not any(folder.exists() for folder in plan.writable_folders())


def test_port_taken(project, recorder):
    """A port that something else holds is refused, and nothing is touched."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        settings = load({"run.port": port, "run.user": USER}, start=project, environment={}).settings
        plan = production_plan(settings, token="new")
        with pytest.raises(EngineError) as caught:
            run.start(plan, KEY, engine=Engine(recorder.buildx, FakeDaemon(recorder, container())))

    assert sentences(caught.value)[0] == f"Port {port} is taken, so nothing was started."
    assert recorder.calls == []
    assert not any(folder.exists() for folder in plan.writable_folders())


def test_logs_folder(start, plan, project, recorder):
    """A logs folder that cannot be made is refused before a key is written."""
    (project / "logs").write_text("")

    what, _, _ = refused(start, EngineError, FakeDaemon(recorder, container()))

    assert str(project / "logs") in what
    assert recorder.calls == []


def test_logs_note(project, recorder):
    """A logs folder that had to be changed is noted, with the group."""
    settings = load({"run.port": 0, "run.user": "4321:8765"}, start=project, environment={}).settings
    plan = production_plan(settings, token="new")

    started = run.start(plan, KEY, engine=Engine(recorder.buildx, FakeDaemon(recorder)))

    assert started.notes == (f"{project / 'logs'} was made writable for group 8765; its owner stays.",)


@pytest.mark.parametrize("fates", FATES.values(), ids=FATES)
def test_unhealthy(start, story, recorder, fates):
    """A first container that does not become healthy is removed with its key, and its log is in the error."""
    daemon = FakeDaemon(recorder, fates=fates, log=["the reason"])

    what, why, todo = refused(start, UnhealthyError, daemon)

    assert story() == [*FIRST, *drop_new()]
    assert what.startswith("api-prod did not become healthy: ")
    assert "  | the reason" in why
    assert todo.endswith("Nothing is left of the new container.")
    assert daemon.names() == {}
    assert daemon.kept == set()


@pytest.mark.parametrize("fates", FATES.values(), ids=FATES)
def test_roll_back(start, story, recorder, fates):
    """If the new container does not become healthy the old one is started again, with its key."""
    daemon = FakeDaemon(recorder, container(), fates=fates)

    _, _, todo = refused(start, UnhealthyError, daemon)

    ended = [] if "status" in fates[-1] else ["container stop --time 10 new-0"]
    assert story() == [*MAKE, *ASIDE, *SWITCH, *BACK, *ended, START_OLD, *drop_new()]
    assert todo.endswith("The old container runs again.")
    assert daemon.names() == {"api-prod": "running"}
    assert daemon.kept == {KEY_VOLUME}


def test_roll_back_stopped(start, story, recorder):
    """An old container that was stopped is put back stopped."""
    daemon = FakeDaemon(recorder, container(status="exited"), fates=FATES["exit"])

    _, _, todo = refused(start, UnhealthyError, daemon)

    assert story() == [*MAKE, *ASIDE, SWITCH[1], *BACK, *drop_new()]
    assert todo.endswith("The old container is back, stopped as it was.")
    assert daemon.names() == {"api-prod": "exited"}


def test_roll_back_fails(start, recorder):
    """If the old container does not come back either, both reasons are told, the new one's first."""
    recorder.answer("container start old-1", error="Error response from daemon: the port is gone\n", code=1)
    daemon = FakeDaemon(recorder, container(), fates=FATES["exit"])

    what, why, todo = refused(start, UnhealthyError, daemon)

    assert what.startswith("api-prod did not become healthy: ")
    assert what.endswith("with exit code 3.")
    assert why.startswith("No known cause")
    assert todo.endswith("The old container does not serve: the port is gone")


def test_run_fails(start, story, recorder):
    """If docker refuses to start the new container the old one is put back."""
    recorder.answer("container start new-0", error="Error response from daemon: no such device.\n", code=1)
    daemon = FakeDaemon(recorder, container())

    _, why, todo = refused(start, EngineError, daemon)

    assert why == "no such device."
    assert todo.endswith("The old container runs again.")
    assert story() == [*MAKE, *ASIDE, *SWITCH, *BACK, START_OLD, *drop_new()]
    assert daemon.kept == {KEY_VOLUME}


def test_rename_fails(start, story, recorder):
    """If the old container cannot be set aside it runs on, untouched."""
    recorder.answer("container rename", error="Error response from daemon: busy\n", code=1)
    daemon = FakeDaemon(recorder, container())

    _, why, todo = refused(start, EngineError, daemon)

    assert why == "busy"
    assert todo.endswith("The old container was not touched.")
    assert daemon.names() == {"api-prod": "running"}
    assert daemon.kept == {KEY_VOLUME}
    assert "container start old-1" not in story()


def test_key_fails(start, story, recorder, monkeypatch):
    """If the key cannot be written the old container runs on."""

    def fail(*_, **__):
        raise EngineError("The key cannot be written.", "no space left", "Make some.")

    monkeypatch.setattr(FakeDaemon, "write_volume", fail)
    daemon = FakeDaemon(recorder, container())

    what, _, _ = refused(start, EngineError, daemon)

    assert what == "The key cannot be written."
    assert daemon.names() == {"api-prod": "running"}
    assert daemon.kept == {KEY_VOLUME}


def test_ctrl_c_first(start, story, recorder):
    """Ctrl-C while a first container starts leaves nothing of it."""
    daemon = FakeDaemon(recorder, fates=[{"health": "starting"}, KeyboardInterrupt()])

    what, _, todo = refused(start, Interrupted, daemon)

    assert what == "api-prod was not started."
    assert todo == "Nothing is left of the new container."
    assert story() == [*FIRST, *drop_new()]
    assert daemon.names() == {}
    assert daemon.kept == set()


def test_create_cut_off(start, recorder):
    """A container whose making docker does not admit to, though it is there, is removed."""
    half = container(id="half-1", status="created", mounts={"/run/secrets": NEW_VOLUME})
    daemon = FakeDaemon(recorder)

    def cut_off(*_, **__):
        daemon._there[half.id], daemon._fates[half.id] = half, []
        raise EngineError("A container could not be made.", "cut off", "Run it again.")

    recorder.buildx.create = cut_off
    refused(start, EngineError, daemon)

    assert daemon.names() == {}
    assert daemon.kept == set()


def test_ctrl_c_replace(start, story, recorder):
    """Ctrl-C while the new container starts puts the old one back."""
    daemon = FakeDaemon(recorder, container(), fates=[{"health": "starting"}, KeyboardInterrupt()])

    _, _, todo = refused(start, Interrupted, daemon)

    assert todo == "The old container runs again."
    assert story() == [*MAKE, *ASIDE, *SWITCH, *BACK, "container stop --time 10 new-0", START_OLD, *drop_new()]
    assert daemon.names() == {"api-prod": "running"}
    assert daemon.kept == {KEY_VOLUME}


ASIDE_NOW = container(name="api-prod-previous", status="exited", health="")
OLD_NAME = "container rename old-1 api-prod"


def test_killed_after_rename(start, story, recorder):
    """A container that a killed run left set aside gets its name back, and is then replaced as any other."""
    daemon = FakeDaemon(recorder, ASIDE_NOW)

    start(daemon)

    assert story() == [OLD_NAME, START_OLD, *MAKE, *ASIDE, *SWITCH, *DROP_OLD]
    assert daemon.names() == {"api-prod": "running"}


def test_killed_in_wait(start, story, recorder):
    """The half-made container of a killed run goes, and the one set aside takes its place back."""
    half = container(id="half-1", health="unhealthy", mounts={"/run/secrets": "half-key"})
    daemon = FakeDaemon(recorder, ASIDE_NOW, half)

    start(daemon)

    assert story()[:4] == [
        "container rename half-1 api-prod-failed",
        OLD_NAME,
        "container stop --time 10 half-1",
        START_OLD,
    ]
    assert story()[4:6] == ["container rm --force --volumes half-1", "volume remove half-key"]
    assert daemon.names() == {"api-prod": "running"}
    assert daemon.kept == {NEW_VOLUME}


def test_killed_at_the_end(start, story, recorder):
    """If the new container of a killed run had become healthy, the one set aside goes."""
    healthy = container(id="half-1", mounts={"/run/secrets": "half-key"})
    daemon = FakeDaemon(recorder, ASIDE_NOW, healthy, fates=FATES["exit"])

    refused(start, UnhealthyError, daemon)

    assert story()[:2] == DROP_OLD
    assert daemon.names() == {"api-prod": "running"}
    assert daemon.kept == {"half-key"}


@pytest.mark.parametrize("labels", [FOREIGN.labels, NEIGHBOUR.labels, OF_OUR_IMAGE.labels])
def test_foreign_aside(start, story, recorder, labels):
    """A container that is not ours keeps its name, even one that looks set aside."""
    aside = container(id="their-1", name="api-prod-previous", labels=labels)
    daemon = FakeDaemon(recorder, aside)

    start(daemon)

    assert story() == FIRST
    assert daemon.names() == {"api-prod-previous": "running", "api-prod": "running"}


@pytest.mark.parametrize(
    ("ports", "url"),
    [
        ({"8000/tcp": ("127.0.0.1", 32768)}, "http://127.0.0.1:32768"),
        ({"8000/tcp": ("0.0.0.0", 80)}, "http://127.0.0.1:80"),
        ({"8000/tcp": ("", 80)}, "http://127.0.0.1:80"),
        ({"8000/tcp": ("::", 80)}, "http://127.0.0.1:80"),
        ({"8000/tcp": ("::1", 80)}, "http://[::1]:80"),
        ({"8000/tcp": ("192.0.2.7", 80)}, "http://192.0.2.7:80"),
        ({"9000/tcp": ("127.0.0.1", 80)}, ""),
        ({}, ""),
    ],
)
def test_url(ports, url):
    """A container answers at the address that it publishes; one that is open to all answers here too."""
    assert run.url_of(container(ports=ports), 8000) == url


def test_no_url():
    """A container that is not there answers nowhere."""
    assert run.url_of(None, 8000) == ""


@pytest.mark.parametrize(
    ("there", "why"),
    [
        ((), "There is no container of that name."),
        ((FOREIGN,), "The container of that name is not ours."),
        ((NEIGHBOUR,), "The container of that name is not ours."),
        ((OF_OUR_IMAGE,), "The container of that name is not ours."),
    ],
)
def test_own_container(recorder, there, why):
    """Ours is found by its name; there is none if it is not there or somebody else's."""
    ours = FakeDaemon(recorder, container())
    assert run.own_container("api-prod", IMAGE, Engine(recorder.buildx, ours)).id == "old-1"

    with pytest.raises(EngineError) as caught:
        run.own_container("api-prod", IMAGE, Engine(recorder.buildx, FakeDaemon(recorder, *there)))
    assert sentences(caught.value)[:2] == ("api-prod does not run.", why)


def test_key_of(recorder):
    """The first key that a container was given is read from it; without one the error says where it was looked for."""
    daemon = FakeDaemon(recorder, container())
    engine = Engine(recorder.buildx, daemon)
    with pytest.raises(EngineError) as caught:
        run.key_of(container(), engine)
    assert sentences(caught.value)[1] == "/run/secrets/api_key is not in it."

    daemon.files = {"run/secrets/api_key": f"{SECRET}\nsecond\n".encode()}
    assert run.key_of(container(), engine) == SECRET


def test_stop(story, recorder):
    """Stopping gives the grace and returns the exit code."""
    daemon = FakeDaemon(recorder, container(exit_code=0))

    assert run.stop(container(), seconds=7, engine=Engine(recorder.buildx, daemon)) == 0
    assert story() == ["container stop --time 7 old-1"]
    assert daemon.names() == {"api-prod": "exited"}


def test_stop_gone(recorder):
    """A container that removes itself when it stops has stopped."""
    assert run.stop(container(), seconds=7, engine=Engine(recorder.buildx, FakeDaemon(recorder))) == 0


@pytest.mark.parametrize(
    ("there", "calls"),
    [
        ((container(),), DROP_OLD),
        ((container(mounts={}),), DROP_OLD[:1]),
        ((), []),
    ],
)
def test_remove(story, recorder, there, calls):
    """A container goes with the volume of its key; one that is not there is no error."""
    run.remove("api-prod", Engine(recorder.buildx, FakeDaemon(recorder, *there)))

    assert story() == calls
