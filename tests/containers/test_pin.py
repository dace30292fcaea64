"""Pins on a real engine, with a real registry in which a tag is moved."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from serving import docker

from dockyard import image, machine, pipeline
from dockyard import pin as pinning
from dockyard.audit import read as audit
from dockyard.audit.rules import supply_origin
from dockyard.errors import AuditError, EngineError
from dockyard.explain import Kind, Outcome
from dockyard.machine import pins
from dockyard.pipeline import pin as pinned
from dockyard.pipeline.explained import explained
from images import file, saved
from support import opened
from unit.sbom.made import DEBIAN, distribution, package, status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from registries import Registry

    from dockyard import explain
    from dockyard.engines import Engine
    from dockyard.image import Image
    from dockyard.pipeline import Project

pytestmark = pytest.mark.engine

PYPROJECT = """
[project]
name = "{name}"
version = "1.0"

[tool.dockyard.build]
base = "{name}:{{python}}"
"""
DOCKERFILE = "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY marker /marker\n"
CHECK, LOOK, UPDATE = (pinned.PinOptions(pythons=("3.12",), **each) for each in ({"check": True}, {}, {"update": True}))


@pytest.fixture
def project(tmp_path: Path, unique: str, engine: Engine, registry: Registry) -> Iterator[Project]:
    """A project whose base is in that registry, which is its mirror; all that came of it is removed afterwards."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT.format(name=unique), "utf-8")
    (folder / "Dockerfile").write_text(DOCKERFILE, "utf-8")
    (folder / "marker").write_text(unique, "utf-8")
    made = opened(folder, engine, {"network.mirror": registry.host})
    yield made
    list(pipeline.clean(made, images=True))
    for name in (unique, f"{registry.host}/{unique}"):
        for reference in references(name):
            with suppress(EngineError):
                engine.buildx.remove_image(reference)


def references(name: str) -> list[str]:
    """What the engine has of a repository, by tag or by digest."""
    told = docker("image", "ls", "--digests", "--format", "{{json .}}", name).splitlines()
    rows = [json.loads(line) for line in told]
    tags = [f"{name}:{each['Tag']}" for each in rows if each["Tag"] != "<none>"]
    return [*tags, *(f"{name}@{each['Digest']}" for each in rows if each["Digest"] != "<none>")]


@pytest.fixture
def publish(project: Project, registry: Registry, unique: str, tmp_path: Path) -> Callable[..., str]:
    """Return what pushes a base with some libc6 under the tag that the project builds on, and returns its digest."""

    def push(libc: str, architecture: str = "", tag: str = "3.12") -> str:
        listed = status(package("libc6", libc), package("bash", "5.2"), *([package("new")] if libc == "2" else []))
        content = [DEBIAN, listed, file("etc/debian_version", f"12.{libc}\n".encode()), distribution("pip", "25.0")]
        archive = tmp_path / f"{libc}.tar"
        kind = {"architecture": architecture} if architecture else {}
        archive.write_bytes(saved(content, reference=f"{unique}:made", **kind))
        target = f"{registry.host}/{unique}:{tag}"
        project.engine.buildx.load(archive)
        docker("tag", f"{unique}:made", target)
        docker("push", "--quiet", target)
        facts = project.engine.daemon.image(target)
        for reference in (f"{unique}:made", target):
            project.engine.buildx.remove_image(reference)
        assert facts
        return facts.digest

    return push


def kept(project: Project) -> tuple[pins.Pin, ...]:
    return pins.read(project.settings.root / project.settings.pin.file)


def test_pin_and_move(project: Project, publish: Callable[..., str], unique: str) -> None:
    """A base is pinned at its registry's digest; of a moved tag is told what moved, the old image gone."""
    old = publish("1")
    (first,) = pinned.pin_bases(project, LOOK)
    (written,) = kept(project)

    assert (first.state, first.reference) == ("pinned", f"{unique}:3.12")
    assert (written.digest, written.system, written.assembled) == (old, "debian 12.1", False)
    assert written.packages == ("deb bash 5.2", "deb libc6 1", "pypi pip 25.0")
    assert [each.state for each in pinned.pin_bases(project, CHECK)] == ["as pinned"]

    for reference in references(f"{project.settings.network.mirror}/{unique}"):
        project.engine.buildx.remove_image(reference)
    new = publish("2")
    (moved,) = looked = pinned.pin_bases(project, CHECK)

    assert moved.state == "moved"
    assert moved.moved
    assert moved.moved.facts == (("digest", old, new), ("system", "debian 12.1", "debian 12.2"))
    assert [(each.how, each.name) for each in moved.moved.packages.changes] == [("changed", "libc6"), ("added", "new")]
    assert kept(project) == (written,)
    # What was pulled to be looked at is gone again.
    assert references(f"{project.settings.network.mirror}/{unique}") == []
    with pytest.raises(AuditError, match="not as pinned"):
        pinning.require(looked, check=True)
    pinning.require(pinned.pin_bases(project, LOOK), check=False)
    assert kept(project) == (written,)

    (updated,) = pinned.pin_bases(project, UPDATE)
    assert updated.state == "updated"
    assert [each.digest for each in kept(project)] == [new]


def test_many_platforms(project: Project, publish: Callable[..., str], registry: Registry, unique: str) -> None:
    """Of an image of many platforms the digest of all of them is pinned, and what this engine's own has in it."""
    name = f"{registry.host}/{unique}"
    for libc, architecture in (("1", "amd64"), ("2", "arm64")):
        publish(libc, architecture, architecture)
    parts = [f"{name}:{architecture}" for architecture in ("amd64", "arm64")]
    docker("buildx", "imagetools", "create", "--tag", f"{name}:3.12", *parts)
    index = project.engine.daemon.published(f"{name}:3.12")

    (outcome,) = pinned.pin_bases(project, LOOK)

    (pin,) = kept(project)
    own = machine.searching(project.wanted, project.engine).platform
    assert (outcome.state, pin.digest, pin.platform) == ("pinned", index, own)
    assert pin.platforms == ("linux/amd64", "linux/arm64")
    assert f"deb libc6 {1 if own == 'linux/amd64' else 2}" in pin.packages
    assert machine.base_for("3.12", project.wanted, project.engine).pinned == f"{name}:3.12@{index}"
    assert pins.find([pin], pin.reference, "linux/arm64") is pin


def test_build_stands_on_the_pin(
    project: Project, publish: Callable[..., str], registry: Registry, unique: str
) -> None:
    """A build is made on the pinned digest though the tag has moved, and again when there is no registry any more."""
    old = publish("1")
    pinned.pin_bases(project, LOOK)
    publish("2")
    base = machine.base_for("3.12", project.wanted, project.engine)
    assert base.pinned == f"{registry.host}/{unique}:3.12@{old}"

    pipeline.build_image(project, progress="quiet")
    registry.kill()
    pipeline.build_image(project, pipeline.BuildOptions(cache=False), progress="quiet")

    built = project.engine.daemon.image(project.settings.reference)
    assert built
    assert built.labels["org.opencontainers.image.base.digest"] == old
    below = project.engine.daemon.image(base.reference)
    assert below
    assert built.diff_ids[: len(below.diff_ids)] == below.diff_ids


def test_pulled_by_digest(project: Project, publish: Callable[..., str], unique: str) -> None:
    """A machine without the base pulls the pinned one, not what the tag names now, and then finds it again."""
    old = publish("1")
    pinned.pin_bases(project, LOOK)
    for reference in (*references(unique), *references(f"{project.settings.network.mirror}/{unique}")):
        project.engine.buildx.remove_image(reference)
    publish("2")

    first, again = (machine.base_for("3.12", project.wanted, project.engine) for _ in range(2))

    assert first.digest == again.digest == old
    assert first.how.startswith("pulled from ")
    assert again.how == "official"


def test_loaded(project: Project, publish: Callable[..., str], registry: Registry, unique: str, tmp_path: Path) -> None:
    """A pinned base that was saved and loaded is known by what is in it, and another one is not taken for it."""
    publish("1")
    pinned.pin_bases(project, LOOK)
    name, archive = f"{unique}:3.12", tmp_path / "saved.tar"
    base = machine.base_for("3.12", project.wanted, project.engine)
    docker("tag", base.pinned, name)
    docker("save", "--output", str(archive), name)
    for reference in (*references(unique), *references(f"{registry.host}/{unique}")):
        project.engine.buildx.remove_image(reference)
    registry.kill()

    project.engine.buildx.load(archive)
    assert machine.base_for("3.12", project.wanted, project.engine).reference == name

    made = docker("create", name, "none").strip()
    docker("commit", "--change", "ENV OTHER=1", made, name)
    docker("rm", made)
    with pytest.raises(EngineError, match="as pinned"):
        machine.base_for("3.12", project.wanted, project.engine)


def test_silent_registry(project: Project, publish: Callable[..., str], registry: Registry) -> None:
    """Where the registry does not answer a pin stays, says that it was not checked, and fails a check with 3."""
    publish("1")
    pinned.pin_bases(project, LOOK)
    before = kept(project)
    registry.kill()

    outcomes = pinned.pin_bases(project, CHECK)

    assert [each.state for each in outcomes] == ["not checked"]
    assert registry.host in outcomes[0].detail
    assert kept(project) == before
    pinning.require(outcomes, check=False)
    with pytest.raises(EngineError, match="could not be looked at"):
        pinning.require(outcomes, check=True)


@pytest.fixture
def tools(project: Project, registry: Registry, unique: str, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Return what pushes an image under a tag that the Dockerfile names beside its base, and returns its digest."""
    made, name = f"{unique}-tools:made", f"{registry.host}/{unique}-tools"

    def push(content: str) -> str:
        archive = tmp_path / f"{content}.tar"
        archive.write_bytes(saved([file("marker", content.encode())], reference=made))
        project.engine.buildx.load(archive)
        docker("tag", made, f"{name}:1")
        docker("push", "--quiet", f"{name}:1")
        facts = project.engine.daemon.image(f"{name}:1")
        for reference in (made, f"{name}:1"):
            project.engine.buildx.remove_image(reference)
        assert facts
        return facts.digest

    text = DOCKERFILE.replace("FROM", f"FROM {name}:1 AS tools\nFROM")
    text += f"COPY --from=tools /marker /one\nCOPY --from={name}:1 /marker /two\n"
    (project.settings.root / "Dockerfile").write_text(text, "utf-8")
    yield push
    for reference in references(name):
        with suppress(EngineError):
            project.engine.buildx.remove_image(reference)


def built(project: Project) -> tuple[Image, explain.Explanation]:
    """Build with provenance, which is held against the build, and return the image and why its steps ran."""
    record = pipeline.build_image(project, pipeline.BuildOptions(provenance="max"), progress="quiet")
    pinned_here = {each.reference: each for each in kept(project)}
    taken = {name: f"{name}@{pinned_here[name].digest}" for name in record.images if not pinned_here[name].unpublished}
    assert {name: image for name, image in record.images.items() if name != image} == taken
    stream = project.engine.daemon.save(project.settings.reference)
    read = image.read(stream, keep=lambda path, *_: path in ("/one", "/two"), reference=project.settings.reference)
    return read, explained(project, record)


def test_other_images(
    project: Project, publish: Callable[..., str], tools: Callable[[str], str], registry: Registry, unique: str
) -> None:
    """What FROM and COPY --from name stays what it was when it was pinned, until an update, which says what moved."""
    publish("1")
    name, old = f"{registry.host}/{unique}-tools:1", tools("old")
    assert {each.reference for each in pinned.pin_bases(project, LOOK)} == {name, f"{unique}:3.12"}
    new = tools("new")

    first, _ = built(project)
    (moved,) = (each for each in pinned.pin_bases(project, CHECK) if each.reference == name)
    second, _ = built(project)

    assert moved.state == "moved"
    assert [read.read(path) for read in (first, second) for path in ("/one", "/two")] == [b"old"] * 4
    used = [audit.PinnedImage(reference=name, digest=old, used=True)]
    (proof,) = supply_origin.Provenance().pinned(first, tuple(used))
    assert (proof.kind, old in proof.text) == ("holds", True)

    (updated,) = (each for each in pinned.pin_bases(project, UPDATE) if each.reference == name)
    assert (updated.state, updated.moved and updated.moved.facts) == ("updated", (("digest", old, new),))
    third, why = built(project)
    assert [third.read(path) for path in ("/one", "/two")] == [b"new", b"new"]
    copied = next(each for each in why.steps if each.instruction.startswith("COPY --from=tools"))
    assert (copied.outcome, copied.causes[0].kind, copied.causes[0].subject) == (Outcome.RAN, Kind.BASE, name)
    assert (copied.causes[0].before, copied.causes[0].after) == (old, new)


def test_only_in_the_engine(
    project: Project, publish: Callable[..., str], registry: Registry, unique: str, tmp_path: Path
) -> None:
    """What no registry has is pinned and built on as this engine has it; another one in its place ends the build."""
    publish("1")
    name = f"{registry.host}/{unique}-only:1"
    text = f"{DOCKERFILE}COPY --from={name} /marker /one\n"
    (project.settings.root / "Dockerfile").write_text(text, "utf-8")
    here = opened(project.settings.root, project.engine, {"build.base": f"{registry.host}/{unique}:{{python}}"})

    def load(content: str) -> None:
        (tmp_path / "only.tar").write_bytes(saved([file("marker", content.encode())], reference=f"{unique}-only:made"))
        here.engine.buildx.load(tmp_path / "only.tar")
        docker("tag", f"{unique}-only:made", name)
        here.engine.buildx.remove_image(f"{unique}-only:made")

    load("old")
    try:
        (outcome,) = (each for each in pinned.pin_bases(here, LOOK) if each.reference == name)
        assert (outcome.state, outcome.pin and outcome.pin.unpublished) == ("pinned", True)
        assert built(here)[0].read("/one") == b"old"
        assert {each.state for each in pinned.pin_bases(here, CHECK)} == {"as pinned"}
        load("new")
        with pytest.raises(EngineError, match="as pinned"):
            built(here)
    finally:
        here.engine.buildx.remove_image(name)
