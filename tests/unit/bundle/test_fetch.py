"""How wheels are asked for, and what is said when they do not come; tests/containers fetches real ones."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from dockyard import bundle
from dockyard.bundle import fetch
from dockyard.engines import Engine
from dockyard.errors import BuildError, Interrupted
from dockyard.machine import Base
from support import FakeDaemon, chain, leaves_stream, sentences

from . import made

OFFICIAL = Base(reference=made.BASE, pinned=f"{made.BASE}@sha256:b", official=True, digest="sha256:b", how="pulled")
LOOSE = bundle.Loose(command="pip", place="Dockerfile:1", lines=("alpha", "--pre"), constraints=("alpha<2",))
PASSWORD = "hunter2-hunter2-hunter2"


@pytest.fixture
def fetching(recorder, tmp_path):
    """Fetch one lock, with an index that has a password."""
    secret = tmp_path / "index_url"
    secret.write_text(f"https://user:{PASSWORD}@index.example/simple")
    return bundle.Fetching(
        engine=Engine(recorder.buildx, FakeDaemon(recorder)),
        locks=(bundle.Lock(name=made.LOCK, text=made.TEXT),),
        secrets={"index_url": secret},
    )


def test_command(fetching, recorder, tmp_path):
    """The base itself fetches, pinned as in a build, with the secrets of builds; the wheels land in the folder."""
    target = tmp_path / "out"
    for name in ("wheels/a.whl", "toolkit/b.whl", "environment.json"):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(json.dumps(made.ENVIRONMENT))
    fetched = fetching.fetch("3.12", OFFICIAL, target, {"own:1": "oci-layout:///x@sha256:1"})

    (call,) = recorder.calls
    assert call[:2] == ["buildx", "build"]
    assert call[call.index("--build-arg") + 1] == f"BASE_IMAGE={OFFICIAL.pinned}"
    assert call[call.index("--secret") + 1] == f"id=index_url,src={tmp_path}/index_url"
    assert call[call.index("--output") + 1] == f"type=local,dest={target}"
    assert call[call.index("--build-context") + 1] == "own:1=oci-layout:///x@sha256:1"
    assert "--network" not in call
    assert not any(PASSWORD in word for word in call)
    assert [path.name for path in (*fetched.wheels, *fetched.toolkit)] == ["a.whl", "b.whl"]
    assert fetched.environment == made.ENVIRONMENT


def test_what_is_sent(fetching, tmp_path):
    """The build gets the locks and the toolkit; the latter only for a Python that it runs on."""
    for python, toolkit in (("3.12", True), ("3.10", False)):
        folder = tmp_path / python
        folder.mkdir()
        fetching._fill(folder, python, (LOOSE,))
        assert (folder / "locks" / "0.txt").read_text() == made.TEXT
        assert bool(list(folder.glob("dockyard-*.whl"))) == toolkit
        assert (folder / "constraints.txt").exists() == toolkit
        assert (folder / "loose" / "0.txt").read_text() == "alpha\n--pre\n"
        assert (folder / "loose" / "0.constraints").read_text() == "alpha<2\n"
    assert "--require-hashes" in fetch.SCRIPT
    assert "--only-binary=:all:" in fetch.SCRIPT


def test_not_of_last_year(fetching, recorder, tmp_path):
    """What no lock names is asked for anew: a step that is in the cache has what the index gave then."""
    for loose in ((), (LOOSE,)):
        with pytest.raises(FileNotFoundError):
            fetching.fetch("3.12", OFFICIAL, tmp_path / "out", {}, loose)
        assert ("--no-cache" in recorder.calls[-1]) == bool(loose)


def failed(said: str) -> str:
    """BuildKit's messages of a step that failed."""
    step = {"digest": "sha256:1", "name": "[fetched 4/4] RUN sh fetch.sh", "started": "2026-01-01T00:00:00Z"}
    log = {"vertex": "sha256:1", "data": base64.b64encode(said.encode()).decode()}
    broken = {**step, "completed": "2026-01-01T00:00:01Z", "error": "exit code: 1"}
    return "\n".join(json.dumps(each) for each in ({"vertexes": [step]}, {"logs": [log]}, {"vertexes": [broken]}))


def test_no_wheel(fetching, recorder, tmp_path):
    """Pip's own words say which wheel cannot be had; no secret of the index is in them."""
    said = f"Looking\nERROR: No matching distribution found for gamma==1 at https://user:{PASSWORD}@index.example\n"
    recorder.answer("buildx build", error=failed(said), code=1)
    with pytest.raises(BuildError) as caught:
        fetching.fetch("3.12", OFFICIAL, tmp_path / "out", {})
    what, why, _ = sentences(caught.value)
    assert what == "The wheels for Python 3.12 could not be fetched."
    assert why.startswith("No matching distribution found for gamma==1")
    assert PASSWORD not in chain(caught.value)


@leaves_stream
def test_interrupted(fetching, recorder, tmp_path):
    """Ctrl-C ends the fetching, and says that nothing stays."""
    recorder.answer("buildx build", presses=True)
    with pytest.raises(Interrupted):
        fetching.fetch("3.12", OFFICIAL, tmp_path / "out", {})
    assert recorder.interrupted


def test_nothing_of_ours_stays(fetching, recorder, tmp_path, monkeypatch):
    """The folder that was sent is gone afterwards, also when the build fails."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    recorder.answer("buildx build", code=1)
    with pytest.raises(BuildError):
        fetching.fetch("3.12", OFFICIAL, tmp_path / "out", {})
    assert not [path for path in Path(tmp_path).iterdir() if path.name.startswith("dockyard-")]
