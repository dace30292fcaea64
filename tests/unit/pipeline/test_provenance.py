"""Where a provenance can be had, and what is made of one that was read back."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from types import SimpleNamespace

import pytest

from dockyard.errors import AuditError
from dockyard.machine.findings import Base
from dockyard.pipeline.provenance import attesting, require_true
from dockyard.plan import build_plan
from dockyard.revision import Revision
from support import FakeDaemon, sentences

IMAGE = f"sha256:{'a' * 64}"
BASE = Base(reference="python:3.12", pinned="python:3.12@sha256:b", official=True, digest="sha256:b", how="pulled")


class Stored(FakeDaemon):
    """An engine with the one store or the other."""

    containerd = True

    def server(self):
        return SimpleNamespace(containerd_store=self.containerd)


@pytest.fixture
def asked(opened, project, recorder):
    """Return a project and its build, with other settings."""

    def asked(**changed):
        here = opened(daemon=Stored(recorder), **changed)
        (project / "Dockerfile").write_text("FROM scratch\n")
        return here, build_plan(here.settings, base=BASE, revision=Revision(commit="c0ffee"), secrets={})

    return asked


def test_lock(asked, project):
    """The lock's digest is an argument that no Dockerfile reads, in the mode that tells arguments."""
    (project / "lock.txt").write_bytes(b"a==1\n")
    here, plan = asked(audit__lock="lock.txt")
    wanted = f"sha256:{hashlib.sha256(b'a==1' + bytes([10])).hexdigest()}"

    assert attesting(here, plan, "max").args == {**plan.args, "DOCKYARD_LOCK": wanted}
    assert attesting(here, plan, "min").args == plan.args
    assert "DOCKYARD_LOCK" not in attesting(*asked(), "max").args


@pytest.mark.parametrize(
    ("changed", "containerd", "why"),
    [
        ({}, True, ""),
        ({}, False, "classic store"),
        ({"build__platforms": ["linux/amd64", "linux/arm64"]}, True, ""),
    ],
)
def test_where(asked, monkeypatch, changed, containerd, why):
    """It is attached where the engine has a place for it; elsewhere it is said why not, and the build goes on."""
    monkeypatch.setattr(Stored, "containerd", containerd)
    plan = attesting(*asked(**changed), "max")
    assert plan.provenance == ("" if why else "max")
    assert why in plan.note
    assert bool(plan.note) == bool(why)


def record(plan, *statements, platforms=()):
    return SimpleNamespace(digest=IMAGE, index="sha256:1", platforms=platforms, args=plan.args, attestations=statements)


def statement(plan, *, whole=True, image=IMAGE):
    pairs = {"build-arg:": plan.args, "label:": plan.labels}
    args = {f"{kind}{name}": value for kind, table in pairs.items() for name, value in table.items()}
    return {
        "predicateType": "https://slsa.dev/provenance/v0.2",
        "subject": [{"digest": {"sha256": image[7:]}}],
        "predicate": {
            "metadata": {"completeness": {"parameters": whole}},
            "invocation": {"parameters": {"args": args}},
        },
    }


def test_true(asked):
    """A statement of this build is told in a line, with the digest of its index."""
    _, plan = asked()
    plan = replace(plan, provenance="max", args={**plan.args, "DOCKYARD_LOCK": "sha256:0123456789abcdef"})
    told = require_true(plan, record(plan, statement(plan)))

    assert "SLSA 0.2, mode max; 0 materials, 3 arguments, 6 labels, the lock 0123456789ab, all as asked" in told
    assert told.endswith("\nsha256:1")


def test_untrue(asked):
    """No statement, two, one of something else, or one that tells less than was asked: each is said."""
    _, plan = asked()
    plan = replace(plan, provenance="max")
    good = statement(plan)
    other = statement(replace(plan, labels={"team": "x"}))
    for given, why in (
        ((), "The engine has 0 SLSA statements"),
        ((good, good), "The engine has 2 SLSA statements"),
        ((other,), "missing: the commit\n"),
        ((statement(plan, whole=False),), "missing: how the build was asked for (mode max)"),
    ):
        with pytest.raises(AuditError) as caught:
            require_true(plan, record(plan, *given))
        what, said, _ = sentences(caught.value)
        assert "is not that of this build" in what
        assert why in said + "\n"


def test_several_platforms(asked):
    """The image of each platform has a provenance of its own, and each must be true."""
    _, plan = asked()
    plan = replace(plan, provenance="max", platforms=("linux/amd64", "linux/arm64"))
    one, other = images = (IMAGE, f"sha256:{'b' * 64}")
    good = [statement(plan, image=each) for each in images]
    assert "mode max; 2 platforms, 0 materials" in require_true(plan, record(plan, *good, platforms=images))
    untrue = statement(replace(plan, labels={"team": "x"}), image=other)
    for given, why in (
        ([good[0]], f"The engine has 1 SLSA statement of {one} and {other}."),
        ([good[0], good[0]], f"different: the image, it is of {one}, not {other}"),
        ([good[0], untrue], "missing: the commit"),
    ):
        with pytest.raises(AuditError) as caught:
            require_true(plan, record(plan, *given, platforms=images))
        assert why in sentences(caught.value)[1]
