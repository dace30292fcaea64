from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard import pipeline, smoke
from dockyard.errors import EngineError, SettingsError, UnhealthyError
from dockyard.pipeline import release
from dockyard.smoke import Result
from support import IMAGE, SECRET, FakeDaemon, container, sentences

TAGS = [f"{IMAGE}:prod", "sha256:1"]


@pytest.fixture
def key(monkeypatch):
    """A key in the environment."""
    monkeypatch.setenv("API_KEY", SECRET)


@pytest.fixture
def served(opened, recorder, key):
    """A project with two releases that differ in memory; the second runs."""
    daemon = FakeDaemon(recorder, images=TAGS)
    real = daemon._apply

    def labelled(call, made):
        """Give what is made the labels that it was made with."""
        real(call, made)
        if call[0] == "create":
            labels = dict(call[at + 1].split("=", 1) for at, word in enumerate(call) if word == "--label")
            daemon._there[made] = replace(daemon._there[made], labels=labels)

    daemon._apply = labelled
    pipeline.start_production(opened(daemon=daemon, run__memory="128m"))
    project = opened(daemon=daemon)
    pipeline.start_production(project)
    return project


def runs(project) -> int:
    """The number of the release that runs."""
    return next(row.number for row in pipeline.releases(project) if row.runs)


def test_list(served):
    """The releases are listed, the newest first, with the one that runs."""
    assert [(row.number, row.runs, row.here, row.verdict) for row in pipeline.releases(served)] == [
        (2, True, True, "good"),
        (1, False, True, "good"),
    ]


def test_rollback(served, recorder, monkeypatch, capsys):
    """The release before comes back with its settings and the running container's key, and the other is left."""
    monkeypatch.delenv("API_KEY")
    capsys.readouterr()
    started = pipeline.rollback(served)

    assert (started.release, started.replaced, runs(served)) == (3, True, 3)
    made = [call for call in recorder.calls if call[0] == "create"][-1]
    assert made[made.index("--memory") + 1] == "128m"
    assert made[-1] == f"{IMAGE}:release-3"
    assert served.engine.daemon.written[1] == f"{SECRET}\n".encode()
    rows = pipeline.releases(served)
    assert [(row.number, row.origin, row.verdict) for row in rows] == [
        (3, 1, "good"),
        (2, 0, "rolled back"),
        (1, 0, "good"),
    ]
    told = capsys.readouterr().err
    assert "Going back to release 1: sha256:1" in told
    assert "As it was then, memory: 128m, not 512m" in told
    with pytest.raises(EngineError, match="no release of api-prod to go back to"):
        pipeline.rollback(served)


def test_to(served):
    """A release that is named comes back, wherever it stands."""
    assert pipeline.rollback(served, to="1").release == 3
    assert pipeline.rollback(served, to="2").release == 4
    assert runs(served) == 4


def test_to_nothing(served, recorder):
    """A number that there is not is refused, and nothing is touched."""
    before = len(recorder.calls)
    with pytest.raises(SettingsError, match="names no release"):
        pipeline.rollback(served, to="9")

    assert len(recorder.calls) == before


def test_image_gone(served, recorder):
    """A release whose image is gone is refused before anything changes, with what to do."""
    served.engine.daemon._images.discard(f"{IMAGE}:release-1")
    before = len(recorder.calls)
    with pytest.raises(EngineError) as caught:
        pipeline.rollback(served)

    what, why, todo = sentences(caught.value)
    assert what == "The image of release 1 is gone, so nothing was changed."
    assert f"{IMAGE}:release-1" in why
    assert "(--to): none." in todo
    assert len(recorder.calls) == before


def test_golden_of_its_time(opened, served, project, monkeypatch):
    """What comes back is asked for the golden predictions of its time, not for those of today."""
    golden = '{"cases": [{"name": "%s", "request": 1, "expected": {"price": 1}}]}'
    (project / "golden.json").write_text(golden % "then")
    asked = []
    monkeypatch.setattr(release, "prove", lambda _, __, golden: asked.append([each.name for each in golden]) or ())
    known = {"daemon": served.engine.daemon, "smoke__golden": "golden.json", "run__memory": "64m"}
    pipeline.start_production(opened(**known))
    pipeline.start_production(opened(**{**known, "run__memory": "32m"}))
    (project / "golden.json").write_text(golden % "now")
    pipeline.rollback(opened(**known))

    assert asked == [["then"]] * 3


def test_prove(opened, monkeypatch):
    """A container that fails a probe is refused with the evidence; one that passes gives its results."""
    results = [Result(probe="health", verdict="pass", evidence="200"), Result(probe="a", verdict="fail", evidence="b")]
    monkeypatch.undo()
    monkeypatch.setattr(smoke, "probe", lambda *_, **__: tuple(results))
    monkeypatch.setattr(release, "target_of", lambda *_: None)
    with pytest.raises(UnhealthyError) as caught:
        release.prove(None, container(), ())
    assert sentences(caught.value)[:2] == ("api-prod fails 1 of 2 probes.", "a: b")

    del results[1]
    assert release.prove(None, container(), ()) == ({"probe": "health", "verdict": "pass", "evidence": "200"},)


@pytest.mark.parametrize("command", [release.look, pipeline.stop])
def test_settles(opened, recorder, capsys, command):
    """A command that finds a swap half done puts it in order first, and says so."""
    daemon = FakeDaemon(recorder, container(name="api-prod-previous", status="exited", health=""), images=TAGS)
    command(opened(daemon=daemon))

    assert "It was undone. The old container runs again." in capsys.readouterr().err
    assert list(daemon.names()) == ["api-prod"]


def test_not_settled(opened, recorder, capsys, key):
    """Where what a kill left cannot be put in order no release is begun on top of it."""
    there = container(name="api-prod-previous", status="exited", health="")
    daemon = FakeDaemon(recorder, there, images=TAGS)
    recorder.answer("container rename", error="Error response from daemon: the name is in use\n", code=1)

    with pytest.raises(EngineError) as caught:
        pipeline.start_production(opened(daemon=daemon))

    assert "The next command tries again." in capsys.readouterr().err
    assert "is not in order yet" in sentences(caught.value)[0]
    assert not [call for call in recorder.calls if call[:2] == ["container", "create"]]


def test_status_while_another_works(opened, recorder, capsys):
    """While another command is at a swap the status only looks, and says who is at it."""
    there = (container(), container(id="new-9", name="api-prod-candidate"))
    project = opened(daemon=FakeDaemon(recorder, *there, images=TAGS))
    with project.state.lock("run"):
        release.look(project)

    assert "Another command is at work. It is `invoke" in capsys.readouterr().err
    assert recorder.calls == []
