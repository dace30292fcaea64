"""Caches that outlive their builder, on a second engine whose own cache can be emptied."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from registries import Registry
from second import SecondEngine, second_engine
from serving import BASE, docker

from dockyard import pipeline
from dockyard.cache.inventory import Policy, chosen
from dockyard.engines import Engine
from dockyard.engines.buildx import Buildx
from dockyard.engines.daemon import Daemon
from dockyard.errors import EngineError, SettingsError
from dockyard.machine import pins
from dockyard.pipeline import caches, mounts
from images import file, saved
from support import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dockyard.pipeline import Project

# One mount as most are, and one with an owner; each step tells what it finds there before it fetches it.
FETCHES = """
ARG BASE_IMAGE
FROM ${BASE_IMAGE} AS fetched
COPY lock.txt /
RUN --mount=type=cache,target=/root/.cache/fetched \\
    cd /root/.cache/fetched; if cmp -s /lock.txt got; then echo warm; else echo cold; cp /lock.txt got; fi
USER 1000:1000
RUN --mount=type=cache,id=owned,target=/owned,uid=1000,gid=1000,mode=0750 \\
    if test -f /owned/private; then echo warm; else echo cold; (umask 077; echo x > /owned/private); fi && \\
    stat --format '%n %u:%g %a' /owned /owned/private
"""
# One that begins with the files of an image.
BEGUN = """
ARG BASE_IMAGE
FROM ${{BASE_IMAGE}}
RUN --mount=type=cache,id=begun,target=/c,from={name},source=/seed \\
    cd /c; cat first; echo; if test -f got; then echo warm; else echo cold; echo x > got; fi
"""


@pytest.fixture(scope="module")
def apart() -> Iterator[SecondEngine]:
    """A second engine for all tests of this module."""
    with second_engine(BASE) as started:
        yield started


@pytest.fixture
def second(apart: SecondEngine, monkeypatch: pytest.MonkeyPatch) -> SecondEngine:
    """That engine, empty; both doors lead to it."""
    emptied(apart)
    monkeypatch.setenv("DOCKER_HOST", apart.address)
    return apart


@pytest.fixture
def again(tiny: Project, second: SecondEngine) -> Callable[..., Project]:
    """Open the tiny project on the second engine, with settings given as dotted keys."""
    return lambda **given: opened(
        tiny.settings.root, Engine(Buildx(), Daemon()), {key.replace("__", "."): value for key, value in given.items()}
    )


def emptied(second: SecondEngine) -> None:
    """Empty the cache of the second engine."""
    prune = ["docker", "-H", second.address, "buildx", "prune", "--all", "--force"]
    subprocess.run(prune, check=True, capture_output=True)


def printed(record: pipeline.image.build.BuildRecord) -> list[str]:
    """All that the steps of a build printed."""
    return [line for step in record.steps for line in step.log]


@pytest.fixture
def registry(second: SecondEngine, registry_server: Path, tmp_path: Path) -> Iterator[Registry]:
    """A registry in the network of the second engine."""
    running = Registry(registry_server, tmp_path / "registry", inside=second.inside)
    running.start()
    yield running
    running.kill()


def test_layers_in_a_folder(again: Callable[..., Project], second: SecondEngine) -> None:
    """What one builder left in a folder, another one takes: no step runs, and the image is the same."""
    project = again(cache__preset="local")
    first = pipeline.build_image(project, progress="quiet")
    assert (first.cached, first.layers.imported, first.layers.exported) == (0, (), "done")

    emptied(second)
    then = pipeline.build_image(project, progress="quiet")
    folder = project.settings.root / ".dockyard/layers/py3.12"
    assert (then.cached, then.layers.imported) == (then.counted, (str(folder),))
    assert (then.digest, then.builder, then.driver) == (first.digest, "default", "docker")
    assert [each.name for each in folder.parent.iterdir()] == ["py3.12"]


def test_layers_in_a_registry(
    again: Callable[..., Project], second: SecondEngine, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A branch begins with what the main branch left in a registry; without the registry the image is built alike."""
    project = again(cache__preset="registry", cache__ref=f"{registry.host}/team/layers")
    assert pipeline.build_image(project, progress="quiet").layers.exported == "done"
    emptied(second)
    monkeypatch.setenv("GITHUB_HEAD_REF", "topic/one")
    of_branch = pipeline.build_image(project, progress="quiet")
    assert of_branch.cached == of_branch.counted
    assert of_branch.layers.imported == (f"{registry.host}/team/layers:py3.12-main",)
    assert of_branch.layers.exported == "done"

    registry.kill()
    emptied(second)
    alone = pipeline.build_image(project, progress="quiet")
    assert (alone.cached, alone.layers.imported) == (0, ())
    assert alone.digest
    assert "refused" in alone.layers.exported


def test_mounts_survive(again: Callable[..., Project], second: SecondEngine, tmp_path: Path) -> None:
    """Cache mounts come through an empty builder: steps that run find what was fetched, with its owners and rights.

    And they can be emptied without a step being forgotten.
    """
    project, archive = again(), tmp_path / "mounts.tar.zst"
    folder = project.settings.root
    (folder / "Dockerfile").write_text(FETCHES)
    (folder / "lock.txt").write_text("one\n")
    assert printed(pipeline.build_image(project, progress="quiet")).count("cold") == 2
    key = mounts.mounts_key(project)
    carried = mounts.export_mounts(project, archive)
    assert [(each.id, each.size) for each in carried.mounts] == [("/root/.cache/fetched", 4), ("owned", 2)]

    emptied(second)
    broken = tmp_path / "broken.tar.zst"
    broken.write_bytes(archive.read_bytes()[:-9])
    with pytest.raises(EngineError, match=r"broken\.tar\.zst is damaged"):
        mounts.import_mounts(project, broken)
    assert mounts.import_mounts(project, archive).current
    warm = pipeline.build_image(project, progress="quiet")
    assert warm.cached == 0
    assert sorted(printed(warm)) == ["/owned 1000:1000 750", "/owned/private 1000:1000 600", "warm", "warm"]

    told = caches.inventory(project)
    going = chosen(told, Policy())
    assert {(each.kind, each.what) for each in going} == {("mounts", "/root/.cache/fetched"), ("mounts", "owned")}
    assert {each.what.split()[2] for each in told.kept if each.kind == "layers"} == {"COPY", "RUN"}
    assert len(list(caches.prune(project, going))) == 2
    assert pipeline.build_image(project, progress="quiet").cached == 3
    (folder / "lock.txt").write_text("two\n")
    assert mounts.mounts_key(project) != key
    assert printed(pipeline.build_image(project, progress="quiet")).count("cold") == 2
    assert not mounts.import_mounts(project, archive).current


def test_mounts_that_begin_with_an_image(
    again: Callable[..., Project], second: SecondEngine, registry: Registry, tmp_path: Path
) -> None:
    """What a mount has beside the files of a pinned image survives its builder; of any other image it is refused."""
    project, archive, name = again(), tmp_path / "mounts.tar.zst", f"{registry.host}/begun:1"
    (tmp_path / "begun.tar").write_bytes(saved([file("seed/first", b"seed")], reference="begun:made"))
    project.engine.buildx.load(tmp_path / "begun.tar")
    docker("tag", "begun:made", name)
    docker("push", "--quiet", name)
    begun = project.engine.daemon.image(name)
    assert begun
    (project.settings.root / "Dockerfile").write_text(BEGUN.format(name=name))
    with pytest.raises(SettingsError, match="no cache mount that can be carried"):
        mounts.export_mounts(project, archive)

    platform = f"linux/{begun.architecture}"
    pin = pins.Pin(reference=name, platform=platform, digest=begun.digest, contents="", pinned=pins.today())
    pins.write(project.settings.root / project.settings.pin.file, [pin])
    assert printed(pipeline.build_image(project, progress="quiet")) == ["seed", "cold"]
    carried = mounts.export_mounts(project, archive)
    assert [(each.id, each.begins, each.source) for each in carried.mounts] == [
        ("begun", f"{name}@{begun.digest}", "/seed")
    ]

    emptied(second)
    assert [each.id for each in mounts.import_mounts(project, archive).mounts] == ["begun"]
    assert printed(pipeline.build_image(project, progress="quiet")) == ["seed", "warm"]
    pins.write(project.settings.root / project.settings.pin.file, [replace(pin, digest=f"sha256:{'0' * 64}")])
    assert mounts.import_mounts(project, archive).unknown == ("begun",)
