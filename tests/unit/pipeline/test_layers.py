"""The layer cache of a build, as it is asked for and refused."""

from __future__ import annotations

from itertools import pairwise

import pytest

from dockyard.engines.facts import ServerFacts
from dockyard.errors import EngineError, SettingsError
from dockyard.pipeline import BuildOptions, build_image
from dockyard.pipeline.planned import planned
from support import SECRET, FakeDaemon, sentences

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "ACTIONS_RUNTIME_TOKEN": SECRET,
    "ACTIONS_RESULTS_URL": "https://results.example/",
    "GITHUB_REF_NAME": "12/merge",
    "GITHUB_HEAD_REF": "topic",
}


class Server(FakeDaemon):
    """An engine with the classic image store, unless it is given the other one."""

    containerd = False

    def server(self) -> ServerFacts:
        return ServerFacts(version="26", containerd_store=self.containerd, architecture="x86_64", data_root="/d")


@pytest.fixture
def github(monkeypatch):
    """A job of GitHub Actions whose steps reach the cache."""
    for name, value in GITHUB.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def classic(recorder):
    """An engine with the classic image store."""
    return Server(recorder, images=["python:3.12-slim-bookworm"])


def cached(recorder) -> list[str]:
    """The cache options of the one build that docker was asked for."""
    (call,) = [each for each in recorder.calls if each[:2] == ["buildx", "build"]]
    return [f"{name} {value}" for name, value in pairwise(call) if name.startswith("--cache-")]


@pytest.mark.usefixtures("saved")
def test_github(opened, recorder, github, capsys):
    """In a job of GitHub Actions the token reaches buildx by the environment alone."""
    recorder.lay_builder("docker-container")
    record = build_image(opened(cache__preset="gha"), progress="quiet")

    assert cached(recorder) == [
        "--cache-from type=gha,scope=tiny-service-py3.12",
        "--cache-to type=gha,scope=tiny-service-py3.12,mode=max,ignore-error=true",
    ]
    (told,) = [each for each in recorder.told if each["call"][:2] == ["buildx", "build"]]
    assert "ACTIONS_RUNTIME_TOKEN" in told["environment"]
    assert SECRET not in str(recorder.told)
    assert SECRET not in str(record)
    assert SECRET not in "".join(capsys.readouterr())


def test_elsewhere(opened, recorder, capsys):
    """Outside GitHub its cache is left out, which is said, so that one setting serves both."""
    build_image(opened(cache__preset="gha"), progress="quiet")

    assert cached(recorder) == []
    assert "Cache gha: left out, since this is no job of GitHub Actions." in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["ACTIONS_RUNTIME_TOKEN", "ACTIONS_RESULTS_URL"])
def test_steps_without_the_token(opened, recorder, github, monkeypatch, missing):
    """A job whose steps do not reach the cache is told how they do."""
    monkeypatch.delenv(missing)
    with pytest.raises(SettingsError) as caught:
        build_image(opened(cache__preset="gha"), progress="quiet")
    _, why, todo = sentences(caught.value)
    assert why == f"Not set: {missing}."
    assert "ghaction-github-runtime" in todo


def test_old_buildx(opened, recorder, github, monkeypatch):
    """A buildx that does not know GitHub's service of today is refused where only that is there."""
    monkeypatch.setenv("ACTIONS_CACHE_SERVICE_V2", "True")
    with pytest.raises(EngineError, match=r"0\.13\.1; 0\.21"):
        build_image(opened(cache__preset="gha"), progress="quiet")


@pytest.mark.usefixtures("saved")
def test_old_engine(opened, recorder, classic, github, monkeypatch):
    """So is the engine's own builder, if it is too old; one of its own is as new as its image."""
    monkeypatch.setenv("ACTIONS_CACHE_SERVICE_V2", "True")
    recorder.answer("buildx version", output="github.com/docker/buildx v0.29.1 abc\n")
    classic.containerd = True
    with pytest.raises(EngineError, match="Docker 26; that of 28"):
        build_image(opened(cache__preset="gha", daemon=classic), progress="quiet")
    recorder.lay_builder("docker-container")
    build_image(opened(cache__preset="gha", daemon=classic), progress="quiet")
    assert len(cached(recorder)) == 2


@pytest.mark.usefixtures("saved")
def test_branch(opened, recorder, github):
    """A pull request's own branch is taken, not the merge that CI checks out."""
    recorder.lay_builder("docker-container")
    build_image(opened(cache__preset="registry", cache__ref="localhost:5000/c"), progress="quiet")

    assert cached(recorder)[:2] == [
        "--cache-from type=registry,ref=localhost:5000/c:py3.12-topic",
        "--cache-from type=registry,ref=localhost:5000/c:py3.12-main",
    ]


def test_classic_store(opened, recorder, classic):
    """The engine's own builder on the classic store exports nothing: refused, but it may import."""
    given = {"cache__preset": "registry", "cache__ref": "localhost:5000/c", "daemon": classic}
    with pytest.raises(EngineError) as caught:
        build_image(opened(**given), progress="quiet")
    what, why, todo = sentences(caught.value)
    assert "cannot keep layers in the cache registry" in what
    assert "classic image store" in why
    assert "docker buildx create --use" in todo

    build_image(opened(**given, cache__export=False), progress="quiet")
    assert [each.split()[0] for each in cached(recorder)] == ["--cache-from"]


def test_s3_on_the_engines_own_builder(opened, recorder, classic):
    """The engine's own builder has no s3, whatever its store."""
    classic.containerd = True
    with pytest.raises(EngineError, match="no s3"):
        build_image(opened(cache__preset="s3", cache__bucket="b", cache__region="r", daemon=classic), progress="quiet")


def test_reproducible_build(opened, recorder, classic):
    """A reproducible build leaves every cache alone, and so does what plans a build for another purpose."""
    classic.containerd = True
    project = opened(cache__preset="local", daemon=classic)
    record = build_image(project, BuildOptions(reproducible=True), progress="quiet")
    assert (cached(recorder), record.layers.preset) == ([], "")
    with planned(project) as asked:
        assert asked.layers is None


def test_where(opened, recorder, capsys):
    """A build ends with its builder, the builder's driver and its cache."""
    recorder.answer("buildx build", metadata='{"buildx.build.ref": "one/one/xyz"}')
    record = build_image(opened(), progress="quiet")

    assert "Builder one (docker), its own cache.\n" in capsys.readouterr().err
    assert (record.builder, record.driver) == ("one", "docker")
