"""The builds that reach into cache mounts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dockyard.cache import carry
from dockyard.cache.mounts import CacheMount
from dockyard.engines import Engine
from dockyard.errors import BuildError
from dockyard.machine.findings import Base
from dockyard.plan import build_plan
from dockyard.revision import Revision
from dockyard.settings import load
from support import FakeDaemon, sentences

BASE = Base(reference="b", pinned="base@sha256:1", official=True, digest="sha256:1", how="pulled")
MOUNTS = (
    CacheMount(id="/c", owner={}, target="/c", lines=(1,)),
    CacheMount(id="d", owner={"uid": "7"}, target="/d", lines=(2,)),
)
FLAGS = (
    "RUN \\\n"
    "    --network=none \\\n"
    "    --mount=type=cache,id=/c,target=/dockyard/mounts/0,sharing=locked \\\n"
    "    --mount=type=cache,id=d,target=/dockyard/mounts/1,sharing=locked,uid=7 \\\n"
)


@pytest.fixture
def plan(project):
    """A build in a namespace of its own, with arguments that are no business of these."""
    given = {"build.args.BUILDKIT_CACHE_MOUNT_NS": "team", "build.args.OTHER": "x", "build.builder": "two"}
    settings = load(given, start=project, environment={}).settings
    return build_plan(settings, base=BASE, revision=Revision(), secrets={"ca": Path("/ca")})


@pytest.fixture
def engine(recorder):
    """An engine that records."""
    return Engine(recorder.buildx, FakeDaemon(recorder))


def call_of(recorder) -> str:
    """The one build that docker was asked for."""
    (call,) = [" ".join(each) for each in recorder.calls if each[:2] == ["buildx", "build"]]
    return call


def test_lent_base(plan, engine, recorder, tmp_path):
    """A base that only the engine has is lent to these builds too."""
    carry.empty(replace(plan, lent={"own:1": "oci-layout:///x@sha256:1"}), MOUNTS, engine, tmp_path)
    assert "--build-context own:1=oci-layout:///x@sha256:1" in call_of(recorder)


def test_take_out(plan, engine, recorder, tmp_path):
    """All mounts are locked while they are packed, as root; the tars are all that comes out."""
    tars = carry.take_out(plan, MOUNTS, engine, tmp_path)
    text = (tmp_path / "sent/Dockerfile").read_text()
    assert text.startswith(f"FROM base@sha256:1 AS carrier\nUSER 0\nARG DOCKYARD_MOMENT\n{FLAGS}")
    assert text.endswith("FROM scratch\nCOPY --from=carrier /dockyard/out /\n")
    assert tars == [tmp_path / "out/0.tar", tmp_path / "out/1.tar"]
    call = call_of(recorder)
    assert f"--output type=local,dest={tmp_path / 'out'}" in call
    assert "--builder two" in call
    assert "BUILDKIT_CACHE_MOUNT_NS=team" in call
    assert "OTHER" not in call
    assert "--secret" not in call


def test_put_in(plan, engine, recorder, tmp_path):
    """Each tar is unpacked aside and then takes its place; nothing comes out."""
    carry.put_in(plan, MOUNTS, engine, tmp_path)
    text = (tmp_path / "Dockerfile").read_text()
    assert f"{FLAGS}    --mount=type=bind,target=/dockyard/given \\\n" in text
    aside = text.index("-xpf /dockyard/given/1.tar")
    assert text.index("mkdir /dockyard/mounts/1/.dockyard-import") < aside < text.index("cp -alf /dockyard/mounts/1/")
    assert "--output type=cacheonly" in call_of(recorder)


def test_empty(plan, engine, recorder, tmp_path):
    """The contents go, and the mount stays."""
    carry.empty(plan, MOUNTS[:1], engine, tmp_path)
    assert "find /dockyard/mounts/0 -mindepth 1 -delete" in (tmp_path / "Dockerfile").read_text()


def test_every_time_anew(plan, engine, recorder, tmp_path):
    """Two of them are never one step for BuildKit, which does not look into mounts."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        carry.empty(plan, MOUNTS, engine, tmp_path / name)
    moments = {word for call in recorder.calls for word in call if word.startswith("DOCKYARD_MOMENT=")}
    assert len(moments) == 2


def test_failure(plan, engine, recorder, tmp_path):
    """A build that fails is told in three lines."""
    recorder.answer("buildx build", error="ERROR: no space left on device\n", code=1)
    with pytest.raises(BuildError) as caught:
        carry.empty(plan, MOUNTS, engine, tmp_path)
    what, why, _ = sentences(caught.value)
    assert what == "The cache mounts could not be reached."
    assert "no space left on device" in why
