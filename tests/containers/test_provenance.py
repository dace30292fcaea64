"""Provenance of real builds: attached, read back and compared; what must not be in it is not."""

from __future__ import annotations

import hashlib
import json
import secrets
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conftest import PYPROJECT, opened
from dockyard import image, pipeline
from dockyard.audit.base import base_facts
from dockyard.audit.rules.supply_origin import Provenance
from dockyard.audit.verdict import State
from dockyard.errors import BuildError
from dockyard.pipeline import BuildOptions
from dockyard.pipeline.planned import planned
from dockyard.pipeline.provenance import require_true
from dockyard.plan.build import LOCK
from dockyard.provenance import compare, statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dockyard.pipeline import Project

DOCKERFILE = """\
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
ARG VALUE
RUN --mount=type=secret,id=index_url touch /made
"""
MAX = BuildOptions(provenance="max")


@pytest.fixture
def service(tmp_path: Path, unique: str, engine) -> Iterator[Callable[..., Project]]:
    """A project under git, with a lock and a secret, opened with settings given as dotted keys."""
    if not engine.daemon.server().containerd_store:
        pytest.skip("this engine keeps no attestations")
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT.format(name=unique))
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "lock.txt").write_text("a==1\n")
    git = ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@b.example"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "a"]):
        subprocess.run([*git, *words], check=True)

    def service(**changed: object) -> Project:
        given = {"audit.lock": "lock.txt", **{key.replace("__", "."): value for key, value in changed.items()}}
        return opened(folder, engine, given)

    yield service
    list(pipeline.clean(service(), images=True))


def test_attached(service: Callable[..., Project]) -> None:
    """The provenance that the engine has names base, commit, arguments and lock, holds no secret, and SUP-04 passes."""
    canary = f"canary{secrets.token_hex(12)}"
    project = service(build__provenance="max", network__index_url=f"https://me:{canary}@index.example/simple")
    record = pipeline.build_image(project, progress="quiet")
    saved = image.read(project.engine.daemon.save(project.settings.reference), reference=project.settings.reference)
    (told,) = statements(saved.attestations)
    base = base_facts(project.engine, record.base)
    facts = project.engine.daemon.image(project.settings.reference)

    assert facts
    assert (record.index, record.digest) == (facts.id, saved.digest)
    assert record.index != record.digest
    assert json.dumps(saved.attestations) == json.dumps(record.attestations)
    assert {base.digest} == {digest for each in told.materials for digest in each.digests}
    head = subprocess.run(["git", "-C", project.settings.root, "rev-parse", "HEAD"], capture_output=True, check=True)
    assert told.labels["org.opencontainers.image.revision"] == head.stdout.decode().strip()
    assert told.args[LOCK] == f"sha256:{hashlib.sha256(b'a==1' + bytes([10])).hexdigest()}"
    assert "index_url" in json.dumps(record.attestations)
    assert canary not in json.dumps(record.attestations)
    evidence = {"image": saved, "settings": project.settings, "base": base, "pins": ()}
    assert Provenance().check(evidence).state is State.PASS
    with planned(project, MAX) as asked:
        assert "all as asked" in require_true(asked, record)
        moved = replace(asked, args={**asked.args, "VALUE": "x"}, labels={**asked.labels, "team": "x"})
        found = compare(told, moved, digest=record.digest, args=moved.args)
    assert [str(each) for each in found] == ["missing: the build argument VALUE", "missing: the label team"]


def test_same_image(service: Callable[..., Project]) -> None:
    """A reproducible image has one digest, whatever is attested of it; the index around it is another each time."""
    project = service()
    options = BuildOptions(reproducible=True)
    without = pipeline.build_image(project, options, progress="quiet")
    first = pipeline.build_image(project, replace(options, provenance="max"), progress="quiet")
    second = pipeline.build_image(project, replace(options, provenance="min"), progress="quiet")

    assert without.digest == first.digest == second.digest
    assert len({without.index, first.index, second.index}) == 3
    facts = project.engine.daemon.image(project.settings.reference)
    assert facts
    assert facts.id == second.index
    (told,) = statements(second.attestations)
    assert not told.whole


def test_secret(service: Callable[..., Project]) -> None:
    """A build argument that has the value of a secret is found in the provenance, and the build fails without it."""
    canary = f"https://me:canary{secrets.token_hex(12)}@index.example/simple"
    project = service(network__index_url=canary, build__args={"VALUE": canary})
    with pytest.raises(BuildError) as caught:
        pipeline.build_image(project, MAX, progress="quiet")

    assert "holds the value of a secret" in caught.value.what
    assert canary not in str(caught.value)
    assert project.state.records("builds") == []
