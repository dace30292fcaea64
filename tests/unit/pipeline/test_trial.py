from __future__ import annotations

import pytest

from dockyard import pipeline, smoke
from dockyard.errors import EngineError, UnhealthyError
from dockyard.pipeline import first_prediction, smoke_image, smoke_running, target_of
from dockyard.pipeline.trial import throwaway
from dockyard.smoke import Answer, Result, Target
from support import SECRET, FakeDaemon, container, sentences

PASSED = Result(probe="one", verdict="pass", evidence="fine")


@pytest.fixture
def daemon(recorder):
    """An engine on which ours runs, with its key."""
    fake = FakeDaemon(recorder, container(), images=["tiny-service:prod", "sha256:1", "a:b"])
    fake.files = {"run/secrets/api_key": SECRET.encode()}
    return fake


@pytest.fixture
def probed(monkeypatch):
    """The containers that were probed; every probe passes."""
    names: list[str] = []

    def probe(target: Target, announce) -> tuple[Result, ...]:
        names.append(target.facts.name)
        announce(PASSED)
        return (PASSED,)

    monkeypatch.setattr(smoke, "probe", probe)
    return names


def left(project) -> list[str]:
    """What is left in the state folder of tries."""
    return [str(path) for path in project.settings.state.rglob("*") if "tries" in path.parts]


def test_target(opened, daemon):
    """A running container is talked to at its address with its own key."""
    target = target_of(opened(daemon=daemon), container())

    assert (target.url, target.key) == ("http://127.0.0.1:8000", SECRET)


@pytest.mark.parametrize("state", ["exited", "created", "paused"])
def test_not_running(opened, daemon, state):
    """One that does not run is refused."""
    with pytest.raises(EngineError) as caught:
        target_of(opened(daemon=daemon), container(status=state))

    assert sentences(caught.value)[:2] == ("api-prod does not run.", f"It is {state}.")


def golden(project) -> None:
    """Store a golden prediction."""
    (project / "golden.json").write_text('{"cases": [{"name": "one", "request": {"a": 1}, "expected": {"b": 2}}]}')


def test_first_prediction(opened, daemon, project, monkeypatch):
    """The running container is asked for the first golden prediction, with its key."""
    golden(project)
    asked = []

    def predict(target: Target, request, *, key: str) -> Answer:
        asked.append((target.url, request, key))
        return Answer(status=200, body='{"b": 2}')

    monkeypatch.setattr(Target, "predict", predict)
    case, answer = first_prediction(opened(daemon=daemon, smoke__golden="golden.json"))

    assert asked == [("http://127.0.0.1:8000", {"a": 1}, SECRET)]
    assert (case.name, answer.document) == ("one", {"b": 2})


def test_wrong_prediction(opened, daemon, project, monkeypatch):
    """Another answer than the golden one is no success."""
    golden(project)
    monkeypatch.setattr(Target, "predict", lambda *_, **__: Answer(status=200, body='{"b": 3}'))

    with pytest.raises(UnhealthyError) as caught:
        first_prediction(opened(daemon=daemon, smoke__golden="golden.json"))

    assert "b is 3, expected 2" in sentences(caught.value)[1]


def test_nothing_to_ask(opened, daemon):
    """Without a golden file nothing is asked."""
    assert first_prediction(opened(daemon=daemon)) is None


def test_throwaway(opened, daemon, recorder):
    """A try has a name, a key and a logs folder of its own, beside the running one, and is gone afterwards."""
    project = opened(daemon=daemon)
    with throwaway(project, "a:b") as target:
        assert target.facts.name.startswith("api-prod-try-")
        assert set(daemon.names()) == {"api-prod", target.facts.name}
        assert left(project)

    assert daemon.names() == {"api-prod": "running"}
    assert left(project) == []
    assert len(daemon.kept) == 1
    (call,) = [call for call in recorder.calls if call[0] == "create"]
    assert call[-1] == "a:b"


@pytest.mark.parametrize("failure", [ZeroDivisionError, KeyboardInterrupt])
def test_throwaway_fails(opened, daemon, failure):
    """A try is gone on every path."""
    project = opened(daemon=daemon)
    with pytest.raises(failure), throwaway(project, "a:b"):
        raise failure

    assert daemon.names() == {"api-prod": "running"}
    assert left(project) == []
    assert len(daemon.kept) == 1


def test_throwaway_unhealthy(opened, recorder):
    """A try that does not become healthy is gone too."""
    daemon = FakeDaemon(recorder, images=["a:b"], fates=[{"status": "exited"}])
    project = opened(daemon=daemon)
    with pytest.raises(UnhealthyError), throwaway(project, "a:b"):
        pytest.fail("it became healthy")

    assert daemon.names() == {}
    assert left(project) == []
    assert daemon.kept == set()


def test_smoke_image(opened, daemon, probed):
    """An image is probed and stopped under the production profile, and the running container is left alone."""
    told = []
    results = smoke_image(opened(daemon=daemon), "a:b", told.append)

    assert [each.probe for each in results] == ["one", "SIGTERM ends it gracefully"]
    assert tuple(told) == results
    assert probed[0].startswith("api-prod-try-")
    assert daemon.names() == {"api-prod": "running"}


def test_smoke_running(opened, daemon, probed):
    """The running container is probed, and a twin of it is stopped in its place."""
    told = []
    results = smoke_running(opened(daemon=daemon), told.append)

    assert [each.verdict for each in results] == ["pass", "pass"]
    assert tuple(told) == results
    assert probed == ["api-prod"]
    assert daemon.names() == {"api-prod": "running"}


def test_smoke_nothing(opened, recorder, probed):
    """Where nothing runs there is nothing to probe."""
    with pytest.raises(EngineError) as caught:
        smoke_running(opened(daemon=FakeDaemon(recorder)), lambda _: None)

    assert sentences(caught.value)[0] == "api-prod does not run."
    assert probed == []


def test_public_chain():
    """The names of the chain are those that it has."""
    assert all(hasattr(pipeline, name) for name in pipeline.__all__)
