"""How a registry is logged in to: nothing secret is written, and nothing of the user's is changed."""

from __future__ import annotations

import json
import subprocess

import pytest

from dockyard.errors import SettingsError
from dockyard.push.access import VARIABLE, access
from dockyard.settings.pushes import Push
from support import SECRET, sentences

LOGIN = Push(user="robot", password=SECRET)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The user's own configuration, with another registry's password in it."""
    folder = tmp_path / "own"
    (folder / "contexts").mkdir(parents=True)
    told = {"currentContext": "far", "auths": {"other.example": {"auth": "c2VjcmV0"}}, "credsStore": "pass"}
    (folder / "config.json").write_text(json.dumps(told))
    return folder


def test_nothing_said(tmp_path):
    """Without a name and a password docker's own store is taken: nothing is set and nothing is made."""
    with access(Push(), "host", tmp_path, {}) as door:
        assert (door.environment, door.login) == ({}, None)
        assert list(tmp_path.iterdir()) == []


def test_helper(own, tmp_path):
    """A helper answers for this registry from the variable; no file has the password, and all is gone afterwards."""
    folder = tmp_path / "state"
    folder.mkdir()
    before = (own / "config.json").read_text()
    environment = {VARIABLE: SECRET, "DOCKER_CONFIG": str(own), "PATH": "/usr/bin:/bin"}
    with access(LOGIN, "host:5000", folder, environment) as door:
        made = list(folder.iterdir())
        files = [path for path in folder.rglob("*") if path.is_file()]
        config = json.loads(next(path for path in files if path.name == "config.json").read_text())
        helper = ["docker-credential-dockyard", "get"]
        answer = subprocess.run(
            helper,
            input="host:5000\n",
            env={**environment, **door.environment},
            capture_output=True,
            text=True,
            check=True,
        )
        kept = subprocess.run(
            ["docker-credential-dockyard", "store"], env={**environment, **door.environment}, check=False
        )

        assert json.loads(answer.stdout) == {"ServerURL": "host:5000", "Username": "robot", "Secret": SECRET}
        assert kept.returncode != 0
        assert config == {"currentContext": "far", "credHelpers": {"host:5000": "dockyard"}}
        assert not [path for path in files if SECRET in path.read_text()]
        assert made[0].stat().st_mode & 0o077 == 0
        assert (made[0] / "contexts").resolve() == own / "contexts"
        assert door.login == {"username": "robot", "password": SECRET}
        assert SECRET not in repr(door) + str(dict(door.environment))
    assert list(folder.iterdir()) == []
    assert (own / "config.json").read_text() == before


@pytest.mark.parametrize("text", ["[1]", "{", ""])
def test_odd_configuration(own, tmp_path, text):
    """A configuration that cannot be read is as none; docker itself complains of it otherwise."""
    (own / "config.json").write_text(text)
    with access(LOGIN, "host", tmp_path, {VARIABLE: SECRET, "DOCKER_CONFIG": str(own)}) as door:
        assert door.login


@pytest.mark.parametrize(
    ("push", "registry", "environment", "why"),
    [
        (Push(user="robot"), "host", {}, "DOCKYARD_PUSH_PASSWORD is not set."),
        (Push(password=SECRET), "host", {VARIABLE: SECRET}, "DOCKYARD_PUSH_USER is not set."),
        (LOGIN, "host", {}, "Everybody who sees the project would have it."),
        (LOGIN, "docker.io", {VARIABLE: SECRET}, "Without a host"),
    ],
)
def test_refused(tmp_path, push, registry, environment, why):
    """Half a login, a password from a file and an unnamed registry are refused, without the password."""
    with pytest.raises(SettingsError) as caught, access(push, registry, tmp_path, environment):
        pass
    assert why in sentences(caught.value)[1]
    assert SECRET not in str(caught.value)
