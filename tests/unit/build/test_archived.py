"""What reproducible builds stand on: a copy of the context with one time, and a builder that writes archives."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from dockyard.build import build
from dockyard.engines import Engine
from dockyard.engines.facts import ServerFacts
from dockyard.errors import BuildError, EngineError, SettingsError
from dockyard.machine.findings import Base
from dockyard.plan import BuildOptions, build_plan
from dockyard.revision import Revision
from dockyard.state import State
from support import BASE, FakeDaemon, sentences

MADE = Base(reference=BASE, pinned=BASE, official=True, digest="", how="pulled")
COMMIT = Revision(commit="c0ffee", created="2023-11-14T22:13:20Z")
EPOCH = 1_700_000_000


@pytest.fixture
def plan(settings, project):
    """The reproducible build of a project with an old and a new file."""
    (project / "Dockerfile").write_text("FROM scratch\nCOPY a b /\n")
    (project / ".dockerignore").write_text("*\n!a\n!b\n")
    for name, moment in (("a", 1000), ("b", EPOCH * 1.1), ("c", 5)):
        (project / name).write_text(name)
        os.utime(project / name, (moment, moment))
    return build_plan(
        settings, base=MADE, revision=COMMIT, secrets={}, options=BuildOptions(reproducible=True, cache=True)
    )


@pytest.fixture
def run(settings, recorder):
    """Build with the recorder, on an engine with one store or the other."""

    def run(plan, *, containerd: bool = True):
        daemon = FakeDaemon(recorder, images=[BASE])
        daemon.server = lambda: ServerFacts(
            version="26", containerd_store=containerd, architecture="x86_64", data_root="/"
        )
        return build(plan, engine=Engine(recorder.buildx, daemon), state=State(settings.state), watch=lambda _: None)

    return run


def sent(recorder) -> list[str]:
    """The build that docker was asked for."""
    (call,) = recorder.builds
    return call


def test_command(plan, run, recorder, project):
    """It is built from a copy, without cache, into an archive, which is loaded with the usual tags and recorded."""
    recorder.answer("buildx build", metadata=json.dumps({"containerimage.digest": "sha256:1"}))
    record = run(plan)

    call = sent(recorder)
    output = dict(pair.split("=", 1) for pair in call[call.index("--output") + 1].split(","))
    assert output.pop("dest").endswith("image.tar")
    assert output == {"type": "docker", "oci-mediatypes": "true", "rewrite-timestamp": "true"}
    assert {"--no-cache", f"SOURCE_DATE_EPOCH={EPOCH}", "tiny-service:prod"} <= set(call)
    assert "--load" not in call
    assert call[-1] != str(project)
    assert not Path(call[-1]).exists()
    assert [each[:2] for each in recorder.calls] == [["buildx", "build"], ["image", "load"]]
    assert (record.digest, record.tags[0]) == ("sha256:1", "tiny-service:prod")
    assert record.args["SOURCE_DATE_EPOCH"] == str(EPOCH)


def test_one_time(plan, run, recorder, monkeypatch):
    """What BuildKit gets has the time of the commit alone, older files too, and holds what the context admits."""
    seen = {}
    real = recorder.buildx.build

    def looking(folder, **options):
        seen.update({path.name: path.lstat().st_mtime for path in [folder, *folder.rglob("*")]})
        return real(folder, **options)

    monkeypatch.setattr(recorder.buildx, "build", looking)
    run(plan)

    assert set(seen) == {"context", "a", "b"}
    assert set(seen.values()) == {EPOCH}


def test_failed(plan, run, recorder):
    """A build that fails loads nothing."""
    recorder.answer("buildx build", error="ERROR: no\n", code=1)
    with pytest.raises(BuildError):
        run(plan)

    assert "load" not in [each[1] for each in recorder.calls]


def test_classic_store(plan, run, recorder):
    """Where the engine's own builder exports no archives, that is said before anything is built, with what does."""
    with pytest.raises(EngineError) as caught:
        run(plan, containerd=False)

    _, why, todo = sentences(caught.value)
    assert "classic store" in why
    assert "docker buildx create" in todo
    assert recorder.calls == []


def test_classic_store_with_a_builder(plan, run, recorder):
    """A builder of its own exports archives on either store."""
    recorder.lay_builder("docker-container")
    run(plan, containerd=False)

    assert sent(recorder)


@pytest.mark.parametrize(
    ("driver", "platforms", "loads"),
    [
        ("docker", ("linux/arm64",), True),
        ("docker", ("linux/amd64", "linux/arm64"), False),
        ("remote", ("linux/amd64", "linux/arm64"), True),
    ],
)
def test_loaded(plan, run, recorder, driver, platforms, loads):
    """A builder with a store of its own is told to load an image of several platforms; the engine's own one has it."""
    run(replace(plan, reproducible=False, driver=driver, platforms=platforms))

    assert ("--load" in sent(recorder)) == loads


def test_no_place(plan, run, recorder):
    """An engine that keeps one platform's images is not sent another builder's of several."""
    with pytest.raises(EngineError) as caught:
        run(
            replace(plan, reproducible=False, driver="remote", platforms=("linux/amd64", "linux/arm64")),
            containerd=False,
        )

    assert "classic store" in sentences(caught.value)[1]
    assert recorder.calls == []


def test_several_platforms(plan, run, recorder):
    """An image of several platforms is refused: no archive of it can be loaded."""
    with pytest.raises(SettingsError) as caught:
        run(replace(plan, platforms=("linux/amd64", "linux/arm64")))

    assert "linux/arm64" in sentences(caught.value)[1]
    assert recorder.calls == []
