"""What is tried again, how often, and what is said in the end; the words are those of docker 26 and its registry."""

from __future__ import annotations

import pytest

from dockyard.errors import DeployError, EngineError
from dockyard.push import faults
from dockyard.settings.pushes import Push
from support import sentences

REFUSED = (
    'failed to do request: Head "https://r:5/v2/a/blobs/sha256:1": dial tcp 127.0.0.1:5: connect: connection refused'
)
PASSING = [
    REFUSED,
    'failed to do request: Put "http://r/v2/a/blobs/uploads/1": EOF',
    "write tcp 10.0.0.1:5->10.0.0.2:443: write: broken pipe",
    "read tcp 10.0.0.1:5->10.0.0.2:443: read: connection reset by peer",
    'Get "https://r/v2/": net/http: TLS handshake timeout',
    'Get "https://r/v2/": dial tcp 10.0.0.1:443: i/o timeout',
    "unexpected status from POST request to https://r/v2/a/blobs/uploads/: 503 Service Unavailable",
    "unexpected status from PUT request to https://r/v2/a/blobs/uploads/1: 429 Too Many Requests",
    "It did not answer within 15 s.",
]
LASTING = [
    'Head "https://r/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    "push access denied, repository does not exist or may require authorization: no basic auth credentials",
    "unexpected status from HEAD request to https://r/v2/a/blobs/sha256:1: 401 Unauthorized",
    "unauthorized: authentication required",
    "dial tcp: lookup registry.invalid on 10.0.0.53:53: no such host",
    "Cannot connect to the Docker daemon at tcp://host:2375. Is the docker daemon running? connection refused",
    "manifest invalid: manifest invalid",
]


@pytest.fixture
def slept(monkeypatch):
    """The pauses that were made."""
    pauses = []
    monkeypatch.setattr(faults.time, "sleep", pauses.append)
    return pauses


def failing(*whys):
    """An action that fails for these reasons, one after the other, and then succeeds."""
    left = list(whys)

    def action():
        if left:
            raise EngineError("It failed.", left.pop(0), "todo")
        return "done"

    return action


def tried(action, told=None, sent=None, **push):
    announce = (lambda _: None) if told is None else told.append
    sent = sent or faults.Sent()
    return faults.retried(action, "It was not pushed.", registry="r:5", push=Push(**push), announce=announce, sent=sent)


@pytest.mark.parametrize("why", PASSING)
def test_passing(why, slept):
    """A fault of the network or of a busy registry is tried again, after twice as long each time, and told."""
    told = []
    assert tried(failing(why, why, why), told, attempts=4, pause=0.5) == "done"
    assert slept == [0.5, 1, 2]
    assert told[0] == f"{why}: attempt 2 of 4 in 0.5 s"

    with pytest.raises(DeployError) as caught:
        tried(failing(*[why] * 9), attempts=2)
    what, said, todo = sentences(caught.value)
    assert (what, said) == ("It was not pushed.", f"{why}\nIt was tried 2 times.")
    assert todo == "When the registry answers, `invoke push` once more sends what it lacks."


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (faults.Sent(layers={"a"}), "One layer was sent, and the registry has what it took: "),
        (faults.Sent(layers={"a", "b"}), "2 layers were sent, and the registry has what it took: "),
        (faults.Sent(layers={"a"}, tags=["r:5/api:1"]), "r:5/api:1 was pushed: "),
        (faults.Sent(tags=["r:5/api:1", "r:5/api:2"]), "r:5/api:1 and r:5/api:2 were pushed: "),
    ],
)
def test_what_was_sent(sent, says, slept):
    """What another push finds there is said as it is, and that it goes on from there."""
    with pytest.raises(DeployError) as caught:
        tried(failing(REFUSED), sent=sent, attempts=1)
    assert caught.value.todo.startswith(says)
    assert "`invoke push` once more sends" in caught.value.todo
    assert caught.value.why.endswith("It was tried once.")


@pytest.mark.parametrize("why", LASTING)
def test_lasting(why, slept):
    """What another attempt cannot mend is said at once."""
    with pytest.raises((DeployError, EngineError)) as caught:
        tried(failing(why), attempts=5)
    assert slept == []
    assert caught.value.why == why


@pytest.mark.parametrize(
    ("why", "code", "todo"),
    [
        (LASTING[0], 7, "/etc/docker/certs.d/r:5/ca.crt"),
        (LASTING[1], 7, "`docker login r:5`, or set DOCKYARD_PUSH_USER and DOCKYARD_PUSH_PASSWORD"),
        ("http: server gave HTTP response to HTTPS client", 7, "`insecure-registries`"),
        (LASTING[5], 3, "todo"),
        (LASTING[6], 7, "Mend what is said above"),
    ],
)
def test_what_helps(why, code, todo, slept):
    """Each cause has its own advice; an engine that is gone is the engine's error."""
    with pytest.raises(EngineError if code == 3 else DeployError) as caught:
        tried(failing(why))
    assert caught.value.exit_code == code
    assert todo in caught.value.todo


def test_one_attempt(slept):
    """One attempt is one."""
    with pytest.raises(DeployError):
        tried(failing(REFUSED), attempts=1)
    assert slept == []
