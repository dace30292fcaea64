from __future__ import annotations

import json
import stat
import sys

import pytest

from dockyard import pipeline
from dockyard.errors import EngineError, SettingsError
from dockyard.pipeline import keep_key, own, start_development, start_production
from dockyard.settings.key import STORED
from support import SECRET, FakeDaemon, container, sentences


@pytest.fixture
def key(monkeypatch):
    """A key in the environment."""
    monkeypatch.setenv("API_KEY", SECRET)


def test_production(opened, recorder, key, capsys):
    """The production container starts with the key from where it is, which is said, and the key is not."""
    started = start_production(opened())

    assert (started.name, started.replaced) == ("api-prod", False)
    out, err = capsys.readouterr()
    assert err.splitlines()[0] == "API key: from the environment variable API_KEY."
    assert SECRET not in out + err + json.dumps(recorder.calls)


def test_key_sources(opened, project, capsys):
    """The key comes from the file that was given, or else from a person."""
    (project / "keys").write_text(f"API_KEY={SECRET}\n")
    here = opened()
    start_production(here, env_file=project / "keys", ask=lambda: pytest.fail("nobody needs to be asked"))
    start_production(here, ask=lambda: SECRET)

    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("API key")]
    assert told == [f"API key: from {project / 'keys'}.", "API key: from the keyboard."]


def test_phases(opened, recorder, key, capsys):
    """What the wait is at is noted."""
    daemon = FakeDaemon(recorder, fates=[{"health": "starting"}, {"health": "healthy"}])
    start_production(opened(daemon=daemon))

    assert "… starting" in capsys.readouterr().err.splitlines()


def test_notes(opened, key, project, capsys):
    """What was done on the way is noted."""
    start_production(opened(run__user="4321:8765"))

    assert f"{project / 'logs'} was made writable for group 8765; its owner stays." in capsys.readouterr().err


def test_no_key(opened, recorder):
    """Without a key nothing is started, and nothing is touched."""
    with pytest.raises(SettingsError) as caught:
        start_production(opened())

    assert sentences(caught.value)[0] == "There is no API key, so nothing was started."
    assert recorder.calls == []


def test_new_token(opened, recorder, key):
    """Each start has a key volume of its own, and so has its candidate."""
    project = opened()
    start_production(project)
    start_production(project)

    written = [call[1] for call in recorder.calls if call[0] == "write_volume"]
    assert len(set(written)) == 4


def test_locked(opened, recorder, key):
    """A second start at the same time is refused, and nothing is touched."""
    project = opened()
    with project.state.lock("run"), pytest.raises(EngineError) as caught:
        start_production(project)

    assert sentences(caught.value)[0] == "Another command of this project is at work, so nothing was done."
    assert recorder.calls == []


def test_development(opened, recorder, capsys):
    """The development container starts with its public key, under its own name, and asks for none."""
    started = start_development(opened())

    assert started.name == "api-dev"
    assert recorder.calls[-1][:2] == ["container", "start"]


def test_keep_key(opened, capsys):
    """On a first run a key is made and kept for its owner alone; where it is kept is said, and the key is not."""
    project = opened()
    keep_key(project)
    path = project.settings.state / STORED

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text().strip()) == 43
    told = capsys.readouterr().err
    assert str(path) in told
    assert path.read_text().strip() not in told


def test_kept_key(opened, capsys):
    """A key that is kept already is kept, and serves the next start."""
    project = opened()
    keep_key(project)
    kept = project.state.read_text(STORED)
    keep_key(project)

    assert project.state.read_text(STORED) == kept
    start_production(project)
    assert "API key: from the key that `invoke up` made." in capsys.readouterr().err


@pytest.mark.parametrize("name", ["API_KEY", "API_KEY_FILE"])
def test_given_key(opened, monkeypatch, name):
    """Where a key is given none is made."""
    monkeypatch.setenv(name, "x")
    project = opened()
    keep_key(project)

    assert project.state.read_text(STORED) is None


@pytest.mark.parametrize("dev", [False, True])
def test_own(opened, dev):
    """Ours is the production container, or the development one."""
    project = opened(container(), container(id="dev-1", name="api-dev"))

    assert own(project, dev=dev).name == ("api-dev" if dev else "api-prod")


def test_asker(monkeypatch):
    """A person is asked only where one sits at a terminal."""

    class Terminal:
        def isatty(self) -> bool:
            return True

    assert pipeline.asker() is None
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"{prompt}typed")
    assert pipeline.asker()() == "API key: typed"
