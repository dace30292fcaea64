"""Where an image goes, under which tags, and which of them may be taken."""

from __future__ import annotations

import pytest

from dockyard.errors import DeployError, SettingsError
from dockyard.push import Destination, destination
from dockyard.push.destination import require_free
from dockyard.settings import load
from support import sentences

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TO = Destination(repository="registry.example/api", tags=("1", "latest"), moving=("latest", "edge-*"))


@pytest.fixture
def found(project):
    """Find the destination with settings given as dotted keys."""

    def found(repository="", tags=(), commit=COMMIT, **changed):
        given = {key.replace("__", "."): value for key, value in changed.items()}
        settings = load(given, start=project, environment={}).settings
        return destination(settings, repository=repository, tags=tags, commit=commit)

    return found


@pytest.mark.parametrize(
    ("given", "changed", "repository"),
    [
        ("host:5000/a/b", {"push.repository": "other.example/c"}, "host:5000/a/b"),
        ("", {"push.repository": "other.example/c", "deploy.image": "third.example/d"}, "other.example/c"),
        ("", {"deploy.image": f"third.example/d@sha256:{'1' * 64}"}, "third.example/d"),
    ],
)
def test_repository(found, given, changed, repository):
    """It is the one that is said, else that of the settings, else that of deployments."""
    assert found(given, **changed).repository == repository


@pytest.mark.parametrize(
    ("given", "changed", "what"),
    [
        ("", {}, "It is not known where to push."),
        ("", {"deploy.image": "no-registry"}, "It is not known where to push."),
        ("host/a:1", {}, "host/a:1 is no repository."),
        (f"host/a@sha256:{'1' * 64}", {}, f"host/a@sha256:{'1' * 64} is no repository."),
        ("ho st", {}, "ho st is no image."),
    ],
)
def test_no_repository(found, given, changed, what):
    """Without a repository, or with a tag in it, nothing is begun."""
    with pytest.raises(SettingsError) as caught:
        found(given, **changed)
    assert sentences(caught.value)[0] == what


def test_tags(found):
    """Places are filled in, and what becomes the same is one."""
    tags = ("{version}", "1.2.3", "{version}-py{python}-{commit}")
    assert found("host/a", tags).tags == ("1.2.3", "1.2.3-py3.12-0123456789ab")
    assert found("host/a").tags == ("1.2.3",)


@pytest.mark.parametrize(("tag", "commit"), [("{commit}", ""), ("a b", COMMIT), ("{other}", COMMIT), ("-a", COMMIT)])
def test_no_tag(found, tag, commit):
    """What no registry takes for a tag, or cannot be filled in, is refused."""
    with pytest.raises(SettingsError):
        found("host/a", (tag,), commit)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"push.tags": "{versoin}"}, "push] tags: {versoin} is no tag"),
        ({"push.tags": ","}, "push] tags"),
        ({"push.repository": "a.example/b:1"}, "no tag and no digest"),
        ({"push.attempts": 0}, "attempts"),
        ({"push.password": 5}, "password"),
    ],
)
def test_wrong_settings(found, changed, why):
    """A wrong key of [tool.dockyard.push] is named, and a password is not shown."""
    with pytest.raises(SettingsError) as caught:
        found("host/a", **changed)
    assert why.rpartition("] ")[2] in caught.value.why
    assert "it is 5" not in caught.value.why


def test_registry():
    """The registry is the host of the repository's name."""
    assert TO.registry == "registry.example"
    assert Destination(repository="host:5000/a", tags=(), moving=()).registry == "host:5000"


@pytest.mark.parametrize(
    ("there", "digest", "overwrite", "free"),
    [
        ({"1": ""}, "sha256:1", False, True),
        ({"1": "sha256:1"}, "sha256:1", False, True),
        ({"1": "sha256:2"}, "sha256:1", False, False),
        ({"1": "sha256:2"}, "sha256:1", True, True),
        ({"1": "sha256:2"}, "", False, False),
        ({"latest": "sha256:2", "edge-7": "sha256:3"}, "sha256:1", False, True),
        ({"latest": "sha256:2", "1": "sha256:3"}, "sha256:1", False, False),
    ],
)
def test_taken(there, digest, overwrite, free):
    """A tag of another image is taken only if it may move, or if that was asked for."""
    if free:
        require_free(there, digest, TO, overwrite=overwrite)
        return
    with pytest.raises(DeployError) as caught:
        require_free(there, digest, TO, overwrite=overwrite)
    what, why, todo = sentences(caught.value)
    assert what == "registry.example/api:1 names another image already, so nothing was pushed."
    assert there["1"] in why
    assert "--overwrite" in todo
