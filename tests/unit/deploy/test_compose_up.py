"""A release is brought up by a docker that plays recorded answers."""

from __future__ import annotations

import pytest

from dockyard.deploy import compose_up, workload_of
from dockyard.engines import process
from dockyard.errors import DeployError, EngineError, Interrupted
from dockyard.state import State
from support import sentences

from .conftest import IMAGE


@pytest.fixture
def file(project):
    """A written file, and the key beside it."""
    folder = project / "deploy"
    folder.mkdir()
    (folder / "key").write_text("not looked at", "utf-8")
    path = folder / "compose.yaml"
    path.write_text("services: {new: {}}\n", "utf-8")
    return path


@pytest.fixture
def state(project):
    return State(project / ".dockyard")


def listed(state="running", health="healthy"):
    """What Compose lists, a line a container."""
    return f'{{"Name": "tiny-1", "State": "{state}", "Health": "{health}"}}\n'


@pytest.fixture
def up(settings_of, file, state, player):
    """Bring the file up; the key is the one beside it unless another is said. It becomes healthy."""
    player.lay(" ps ", output=listed())

    def up(**changed):
        settings = settings_of(**{"deploy__secret_file": "./key", "deploy__wait": 30, **changed})
        return compose_up.up(workload_of(settings, IMAGE), file, state=state, announce=lambda _: None)

    return up


@pytest.fixture
def refused(up):
    def refused(kind=DeployError, **changed):
        with pytest.raises(kind) as caught:
            up(**changed)
        return sentences(caught.value)

    return refused


def test_up(up, file, state, player):
    """Compose is asked to start it and to wait; a file that became healthy is kept as the one to go back to."""
    done = up()

    assert (done.name, done.image) == ("tiny-service", IMAGE)
    common = f"docker compose --ansi=never --project-directory={file.parent} --file={file}"
    assert player.calls[1:] == [
        f"{common} up --detach --wait --wait-timeout=30 --quiet-pull",
        f"{common} ps --all --format=json",
    ]
    assert (state.folder / compose_up.GOOD).read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("docker: 'compose' is not a docker command.\nSee 'docker --help'\n", "'compose' is not a docker command."),
        (
            "docker: unknown command: docker compose\n\nRun 'docker --help' for more\n",
            "unknown command: docker compose",
        ),
    ],
)
def test_no_compose(refused, player, error, cause):
    """Without Compose nothing is started, the file is said to be there, and docker's reason is told."""
    player.lay("version", error=error, code=1)
    what, why, todo = refused(EngineError)

    assert "nothing was started" in what
    assert why == cause
    assert "compose.yaml is written" in todo
    assert len(player.calls) == 1


def test_no_key(refused, player):
    """Without the key on the host nothing is started, and it is said how to put it there."""
    what, _, todo = refused(deploy__secret_file="./other")

    assert "nothing was started" in what
    assert "`install -D -m 0440 -g 1000 FILE ./other`" in todo
    assert not any(" up " in call for call in player.calls)


def test_first_fails(refused, player):
    """A first release that does not become healthy is left to be looked at, with its last lines."""
    player.lay(" up ", error="application not healthy after 30s\n", code=1)
    player.lay(" logs ", output="model.onnx is missing\n")
    what, why, todo = refused()

    assert what == "tiny-service did not become healthy; there is nothing to go back to."
    assert why == "application not healthy after 30s\nmodel.onnx is missing"
    assert "docker compose" in todo


def test_taken_back(up, refused, file, state, player):
    """The file that was healthy last is brought back, in the same project and folder, and stays the last good one."""
    up()
    good = (state.folder / compose_up.GOOD).read_bytes()
    file.write_text("services: {newer: {}}\n", "utf-8")
    player.lay(" up ", error="application not healthy after 30s\n", code=1, once=True)
    what, _, todo = refused()

    assert what == "tiny-service did not become healthy and was taken back."
    assert "serves again" in todo
    assert f"--project-directory={file.parent} --file={state.folder / compose_up.GOOD} up" in player.calls[-2]
    assert (state.folder / compose_up.GOOD).read_bytes() == good


@pytest.mark.parametrize("answer", [listed(health=""), f"[{listed().strip()}]\n", listed() * 2])
def test_good_states(up, player, answer):
    """A container without a health check is good while it runs; older Composes list all in one line."""
    player.lay(" ps ", output=answer)
    up()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (listed(health="starting"), "tiny-1 is running, starting."),
        (listed() + listed(health="unhealthy"), "tiny-1 is running, unhealthy."),
        (listed(state="exited", health=""), "tiny-1 is exited."),
        ("", "Compose shows no container of it."),
    ],
)
def test_compose_is_not_believed(refused, player, state, answer, why):
    """A Compose that ends with 0 although nothing became healthy is found out."""
    player.lay(" ps ", output=answer)

    assert refused()[1] == why
    assert not (state.folder / compose_up.GOOD).exists()


def test_not_back_either(up, refused, player):
    """What was there before and does not become healthy either is not called good."""
    up()
    player.lay(" up ", error="not healthy\n", code=1)
    assert "what was there before does not either" in refused()[0]


def test_interrupted(refused, monkeypatch):
    """Ctrl-C does not say that nothing was changed."""
    real = process.run

    def pressed(command, **options):
        if "up" in command:
            raise KeyboardInterrupt
        return real(command, **options)

    monkeypatch.setattr(process, "run", pressed)
    assert "what Compose had begun stays" in refused(Interrupted)[1]
