from __future__ import annotations

import json
import stat

import pytest

from dockyard import pipeline
from dockyard.build import build
from dockyard.errors import BuildError, EngineError, SettingsError
from dockyard.pipeline import BuildOptions, build_arguments, build_image
from support import BASE, SECRET, chain, recorded, sentences

ASSEMBLED = f"dockyard.local/{BASE}"
INDEX = f"https://user:{SECRET}@index.example.org/simple"


@pytest.fixture
def seen(monkeypatch):
    """The secrets of each build: id to path, mode and content while it ran."""
    builds = []

    def looking(plan, **given):
        builds.append(
            {name: (path, stat.S_IMODE(path.stat().st_mode), path.read_text()) for name, path in plan.secrets.items()}
        )
        return build(plan, **given)

    monkeypatch.setattr(pipeline.image.build, "build", looking)
    return builds


def test_build(opened, recorder, capsys):
    """The image of the settings is built on its base, its record kept, and its summary noted."""
    project = opened()
    record = build_image(project)

    (call,) = recorder.builds
    assert f"BASE_IMAGE={BASE}" in call
    assert "tiny-service:prod" in call
    assert len(project.state.records("builds")) == 1
    assert record.tags == ("tiny-service:prod", "tiny-service:1.2.3-py3.12")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tiny-service:prod built in ")


def test_progress(opened, recorder, capsys):
    """Each step is shown as it ends."""
    recorder.answer("buildx build", error=recorded("buildkit/built.txt"))
    build_image(opened(), progress="plain")

    assert "[builder 2/2] RUN printf" in capsys.readouterr().err


def test_options(opened, recorder):
    """How a build is asked for arrives at docker."""
    build_image(opened(quiet=True), BuildOptions(prod=False, stage="builder", cache=False, pull=True))

    (call,) = recorder.builds
    assert {"--no-cache", "--pull"} <= set(call)
    assert call[call.index("--target") + 1] == "builder"
    assert "tiny-service:prod" not in call


def test_assembled_base(opened, recorder, capsys):
    """A base that was assembled here is said to be, in one line before the build."""
    build_image(opened(images=[ASSEMBLED]))

    assert ["buildx", "inspect"] in [each["call"] for each in recorder.told]
    assert f"BASE_IMAGE={ASSEMBLED}" in recorder.builds[0]
    first = capsys.readouterr().err.splitlines()[0]
    assert first == f"Base: {ASSEMBLED}, assembled on this machine; not the official image."


def test_no_base(opened, recorder, monkeypatch):
    """Without a base nothing is built, and the error says how to get one."""
    project = opened(images=())
    monkeypatch.setattr(type(project.engine.daemon), "published", lambda *_, **__: None, raising=False)

    with pytest.raises(EngineError) as caught:
        build_image(project)

    what, _, todo = sentences(caught.value)
    assert what == "There is no base image for Python 3.12."
    assert "invoke setup --python 3.12" in todo
    assert recorder.builds == []


def test_secrets(opened, recorder, seen, bundle, monkeypatch):
    """The CA bundle and the index reach the build as files that others cannot read; the index is in no argument."""
    monkeypatch.setenv("PIP_INDEX_URL", INDEX)
    build_image(opened(quiet=True))

    ((path, mode, content),) = [seen[0].pop("index_url")]
    assert (mode & 0o077, content) == (0, INDEX)
    assert seen == [{"ca": (bundle, stat.S_IMODE(bundle.stat().st_mode), "PEM")}]
    assert not path.parent.exists()
    assert bundle.exists()
    assert SECRET not in json.dumps(recorder.calls)


def test_failed_build(opened, recorder, seen, monkeypatch):
    """The file with the index goes when the build fails, too, and the error does not hold it."""
    monkeypatch.setenv("PIP_INDEX_URL", INDEX)
    recorder.answer("buildx build", error="ERROR: no\n", code=1)

    with pytest.raises(BuildError) as caught:
        build_image(opened(quiet=True))

    assert not seen[0]["index_url"][0].parent.exists()
    assert SECRET not in chain(caught.value)


def test_arguments(monkeypatch):
    """NAME=value is taken as it is, with its equals signs; NAME alone takes the environment's."""
    monkeypatch.setenv("FROM_HERE", "x")

    assert build_arguments(["ONE=1", "TWO=a=b", "THREE=", "FROM_HERE"]) == {
        "build.args.ONE": "1",
        "build.args.TWO": "a=b",
        "build.args.THREE": "",
        "build.args.FROM_HERE": "x",
    }
    assert build_arguments([]) == {}


@pytest.mark.parametrize("pair", ["=1", "", "NOT_IN_ENVIRONMENT"])
def test_bad_argument(pair):
    """A pair without a name or a value is refused."""
    with pytest.raises(SettingsError) as caught:
        build_arguments([pair])

    assert sentences(caught.value)[0] == f"--build-arg {pair} says nothing."


def test_empty_argument(opened, recorder):
    """An argument that was given empty reaches the build empty."""
    build_image(opened(quiet=True, **build_arguments(["ONE="])))

    assert "ONE=" in recorder.builds[0]
