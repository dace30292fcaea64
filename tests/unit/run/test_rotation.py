from __future__ import annotations

import json

import pytest

from dockyard.engines import Engine
from dockyard.run.rotation import BEGUN, DONE, FINISHING, OVERLAP, Rotation
from dockyard.settings.key import STORED, SecretStr
from dockyard.state import State
from support import IMAGE, SECRET, FakeDaemon, container

NEW = "brand-new-brand-new-brand-new-brand-new"


@pytest.fixture
def state(project):
    """The records of the project."""
    return State(project / ".dockyard")


@pytest.fixture
def rotation(state):
    """A rotation that has begun."""
    rotation = Rotation(state, "api-prod")
    rotation.begin(SecretStr(NEW), SecretStr(SECRET))
    return rotation


def modes(state: State) -> dict[str, int]:
    """The files of a rotation and who may read them."""
    return {path.name: path.stat().st_mode & 0o777 for path in (state.folder / "rotation").iterdir()}


@pytest.mark.parametrize(
    ("stage", "accepted", "advice"),
    [
        (BEGUN, [SECRET], "`invoke rotate-key` goes on"),
        (OVERLAP, [NEW, SECRET], "`invoke rotate-key --finish` removes the old."),
        (FINISHING, [NEW], "`invoke rotate-key --finish` goes on"),
    ],
)
def test_stages(rotation, stage, accepted, advice):
    """Each stage says which keys are accepted for certain, and what remains to be done."""
    rotation.note(stage, "a step")
    known = rotation.read()

    assert known.accepted.get_secret_value().split() == accepted
    assert advice in known.unfinished


def test_private(rotation, state):
    """The keys are in files for their owner alone, the record holds none, and neither shows in a message."""
    assert {name: mode for name, mode in modes(state).items() if not name.endswith("json")} == {
        "api-prod.new": 0o600,
        "api-prod.old": 0o600,
    }
    record = (state.folder / "rotation" / "api-prod.json").read_text()
    shown = record + repr(rotation.read()) + str(rotation.read())
    assert not [key for key in (NEW, SECRET) if key in shown]


def test_conclude(rotation, state):
    """At its end the old key is nowhere, the new one is the kept one, and when it began is still known."""
    begun = json.loads((state.folder / "rotation" / "api-prod.json").read_text())["time"]
    rotation.conclude()

    assert list(modes(state)) == ["api-prod.json"]
    assert state.read_text(STORED) == f"{NEW}\n"
    known = rotation.read()
    assert (known.stage, known.time, known.unfinished) == (DONE, begun, "")
    assert known.accepted.get_secret_value() == NEW


def test_forget(rotation, state):
    """What is forgotten leaves nothing but the kept key."""
    rotation.promote()
    rotation.forget()

    assert rotation.read() is None
    assert modes(state) == {}
    assert state.read_text(STORED) == f"{NEW}\n"


def test_key_in_use(rotation, recorder):
    """The key in use is what the container has; without one, what was accepted last; without a rotation, none."""
    daemon = FakeDaemon(recorder, container())
    daemon.files = {"run/secrets/api_key": f"{NEW}\n{SECRET}\n".encode()}
    engine, nobody = Engine(recorder.buildx, daemon), Engine(recorder.buildx, FakeDaemon(recorder))

    assert rotation.key_in_use("api-prod", IMAGE, engine).lines == (NEW, SECRET)
    assert rotation.key_in_use("api-prod", IMAGE, nobody).lines == (SECRET,)
    rotation.forget()
    assert rotation.key_in_use("api-prod", IMAGE, engine) is None
