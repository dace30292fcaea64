"""What docker says of a push, and what is made of it."""

from __future__ import annotations

import pytest

from dockyard.engines import Engine
from dockyard.engines.daemon import Daemon
from dockyard.errors import DeployError, EngineError
from dockyard.push import Destination, send
from dockyard.push.access import Access
from dockyard.push.send import Registry
from dockyard.settings.pushes import Push
from support import sentences

DIGEST, OTHER = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
TO = Destination(repository="host/api", tags=("1",), moving=())
SAID = f"""The push refers to repository [host/api]
aaaaaaaaaaaa: Waiting
bbbbbbbbbbbb: Layer already exists
aaaaaaaaaaaa: Pushed
cccccccccccc: Mounted from team/other
1: digest: {DIGEST} size: 897
"""


class Registered(Daemon):
    """An engine that asks a registry which has this."""

    def __init__(self, **there: str) -> None:
        super().__init__()
        self.there = {f"host/api:{tag}": digest for tag, digest in there.items()}
        self.logins: list[object] = []

    def published(self, reference, *, seconds=15, login=None):
        self.logins.append(login)
        name, _, digest = reference.partition("@")
        found = set(self.there.values())
        return (digest if digest in found else None) if digest else self.there.get(name)


@pytest.fixture
def registry(recorder):
    """A registry that says this to docker, and has that."""

    def registry(output=SAID, told=None, daemon=None, **answer):
        recorder.answer("image push", output=output, **answer)
        access = Access(environment={"DOCKER_CONFIG": "/there"}, login={"username": "me"})
        engine = Engine(recorder.buildx, daemon or Registered(**{"1": DIGEST}))
        announce = (lambda _: None) if told is None else told.append
        return Registry(engine, TO, access, Push(pause=0, attempts=2), announce)

    return registry


def test_sent(registry, recorder):
    """Layers are counted by what became of them and told; the call has the name alone, and the login's environment."""
    told = []
    done = send(registry(told=told), TO, "1", before=OTHER, expected=DIGEST)

    assert (done.digest, done.before, done.sent, done.there) == (DIGEST, OTHER, 1, 2)
    assert recorder.calls == [["image", "push", "host/api:1"]]
    assert "DOCKER_CONFIG" in recorder.told[-1]["environment"]
    assert told == [
        "layer bbbbbbbbbbbb: was there",
        "layer aaaaaaaaaaaa: sent",
        "layer cccccccccccc: was there",
    ]


def test_login(registry):
    """The registry is asked with the login."""
    daemon = Registered(**{"1": DIGEST})
    assert registry(daemon=daemon).digest("host/api:1", "x") == DIGEST
    assert registry(daemon=daemon).digest("host/api:2", "x") == ""
    assert daemon.logins == [{"username": "me"}] * 2


@pytest.mark.parametrize(
    ("there", "expected", "why"),
    [
        ({"1": OTHER}, DIGEST, f"host/api:1 is {OTHER}"),
        ({}, DIGEST, "host/api:1 is not there"),
        ({"1": DIGEST}, OTHER, f"The image here is {OTHER}"),
    ],
)
def test_something_else(registry, there, expected, why):
    """A registry that then has something else, or nothing, is found out."""
    with pytest.raises(DeployError) as caught:
        send(registry(daemon=Registered(**there)), TO, "1", before="", expected=expected)
    what, said, _ = sentences(caught.value)
    assert what == "The registry does not have what was pushed as host/api:1."
    assert why in said


def test_classic_store(registry):
    """Where the engine knows no digest beforehand, the one that was pushed is held against the registry."""
    assert send(registry(), TO, "1", before="", expected="").digest == DIGEST


def test_failed(registry, recorder):
    """A push that fails to the end names the cause and how often it was tried."""
    broken = registry(output="aaaaaaaaaaaa: Pushed\n", error="failed: connection refused\n", code=1)
    with pytest.raises(DeployError) as caught:
        send(broken, TO, "1", before="", expected=DIGEST)

    assert sentences(caught.value) == (
        "host/api:1 was not pushed.",
        "failed: connection refused\nIt was tried 2 times.",
        "One layer was sent, and the registry has what it took: `invoke push` once more sends the rest.",
    )
    assert len(recorder.calls) == 2


def test_not_read_back(registry):
    """A registry that took an image and then says no more has it, which is what the error says."""

    class Silent(Registered):
        def published(self, reference, *, seconds=5, login=None):
            raise EngineError("It was asked.", "connection refused", "Look.")

    with pytest.raises(DeployError) as caught:
        send(registry(daemon=Silent()), TO, "1", before="", expected=DIGEST)
    what, _, todo = sentences(caught.value)
    assert what == "host/api:1 was pushed and could not be read back."
    assert todo.startswith("host/api:1 was pushed: ")


def test_no_digest(registry):
    """A push of which docker tells no digest is none, whatever its exit code."""
    with pytest.raises(DeployError, match="was not pushed"):
        send(registry(output="aaaaaaaaaaaa: Pushed\n"), TO, "1", before="", expected=DIGEST)
