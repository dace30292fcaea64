"""Builders with a store of their own: their images reach the engine, and what they lack they are given."""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from serving import docker

from dockyard import pipeline
from dockyard.build import build
from dockyard.errors import EngineError
from dockyard.explain.story import Outcome
from dockyard.pipeline import BuildOptions
from dockyard.pipeline.explain import ExplainOptions, explain_build
from dockyard.pipeline.mounts import export_mounts, import_mounts
from dockyard.pipeline.planned import planned
from dockyard.pipeline.push import PushOptions, push_image
from support import PROJECT_LABEL, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from registries import Registry

    from dockyard.build import Progress
    from dockyard.engines import Engine
    from dockyard.pipeline import Project

NAMED = "DOCKYARD_TEST_BUILDKIT"
PLATFORMS = ["linux/amd64", "linux/arm64"]
MOUNT = "RUN --mount=type=cache,id={0},target=/kept cat /kept/* 2>/dev/null; echo {0} > /kept/name\n"


@pytest.fixture(scope="module")
def builders(engine: Engine) -> Iterator[dict[str, str]]:
    """A builder of each driver that can be had here, by that driver: two names for one BuildKit in a container."""
    image = os.environ.get(NAMED, "")
    if not image:
        pytest.skip(f"not run: {NAMED} names no image of BuildKit")
    if engine.daemon.image(image) is None:
        engine.buildx.pull(image)
    name = f"dockyard-test-{secrets.token_hex(4)}"
    options = ["--driver-opt", f"image={image}", "--driver-opt", "network=host"]
    docker("buildx", "create", "--name", name, "--driver", "docker-container", *options, "--bootstrap")
    try:
        far = f"docker-container://buildx_buildkit_{name}0"
        docker("buildx", "create", "--name", f"{name}-far", "--driver", "remote", far)
        yield {"docker-container": name, "remote": f"{name}-far"}
    finally:
        for each in (f"{name}-far", name):
            docker("buildx", "rm", "--force", each)


@pytest.fixture
def on(builders: dict[str, str], tiny: Project) -> Callable[..., Project]:
    """Open the tiny project with a builder of a driver, and other settings given as dotted keys."""

    def on(driver: str, **given: object) -> Project:
        changed = {key.replace("__", "."): value for key, value in given.items()}
        return opened(tiny.settings.root, tiny.engine, {"build.builder": builders[driver], **changed})

    return on


@pytest.mark.parametrize("driver", ["docker-container", "remote"])
def test_driver(on: Callable[..., Project], builders: dict[str, str], driver: str) -> None:
    """The image reaches the engine, then all is cached, and an edit is foretold and explained, whatever the base is."""
    project = on(driver)
    first = pipeline.build_image(project, progress="quiet")
    facts = project.engine.daemon.image(project.settings.reference)
    again = pipeline.build_image(project, progress="quiet")
    with (project.settings.root / "golden.json").open("a") as file:
        file.write(f"{project.settings.image}\n")
    foretold = explain_build(project, ExplainOptions(foretell=True))
    pipeline.build_image(project, progress="quiet")
    told = explain_build(project, ExplainOptions())

    assert facts
    assert (first.driver, first.builder) == (driver, builders[driver])
    assert again.cached == again.counted == 3
    assert again.digest == first.digest
    for steps, outcome in ((foretold.steps, Outcome.WILL_RUN), (told.steps, Outcome.RAN)):
        assert [each.outcome for each in steps] == [Outcome.CACHED, outcome, outcome]
    assert [each.causes[0].subject for each in told.ran] == ["golden.json", "golden.json"]


def require_place(project: Project) -> None:
    """Skip where the engine keeps neither what is attested of an image, nor images of several platforms."""
    if not project.engine.daemon.server().containerd_store:
        pytest.skip("not run: the engine's classic store has no place for it")


def test_provenance(on: Callable[..., Project]) -> None:
    """Provenance is read back and compared with or without `--reproducible`, which has one digest then and before."""
    project = on("docker-container")
    require_place(project)
    plain = pipeline.build_image(project, BuildOptions(provenance="max"), progress="quiet")
    exact = BuildOptions(reproducible=True)
    twice = [
        pipeline.build_image(project, each, progress="quiet") for each in (exact, replace(exact, provenance="max"))
    ]

    assert plain.index not in ("", plain.digest)
    assert len(plain.attestations) == 1
    assert twice[0].digest == twice[1].digest


def test_platforms(on: Callable[..., Project], builders: dict[str, str], registry: Registry) -> None:
    """An image of two platforms, on a base that a registry has for both, reaches the engine whole, and a registry."""
    name = f"{registry.host}/base:3.12"
    project = on("docker-container", build__base=name.replace("3.12", "{python}"), build__platforms=PLATFORMS)
    require_place(project)
    folder = project.settings.root
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY service.py /\n")
    options = [f"--platform={','.join(PLATFORMS)}", f"--output=type=image,name={name},push=true"]
    options += ["--label", f"{PROJECT_LABEL}={project.settings.image}"]
    docker("buildx", "build", "--builder", builders["remote"], *options, str(folder))
    (folder / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY golden.json /\n")
    record = pipeline.build_image(project, progress="quiet")
    pushed = push_image(project, PushOptions(repository=f"{registry.host}/team/api", tags=("1",), sign="off"))

    assert record.digest == pushed.digest
    index = docker("buildx", "imagetools", "inspect", "--raw", f"{pushed.repository}@{pushed.digest}")
    assert all(platform.partition("/")[2] in index for platform in PLATFORMS)


def test_cache_mounts(on: Callable[..., Project], tiny: Project, tmp_path: Path) -> None:
    """What is in a cache mount goes from this builder to the engine's own, which has another BuildKit and store."""
    project, kept = on("remote"), tmp_path / "mounts.tar.zst"
    with (project.settings.root / "Dockerfile").open("a") as file:
        file.write("USER 0\n" + MOUNT.format(project.settings.image))
    pipeline.build_image(project, progress="quiet")
    assert export_mounts(project, kept).size
    import_mounts(tiny, kept)

    record = pipeline.build_image(tiny, progress="quiet")
    (step,) = [each for each in record.steps if "/kept" in each.name]
    assert step.log == [project.settings.image]


def test_ends(on: Callable[..., Project], builders: dict[str, str]) -> None:
    """A builder that ends half-way is told from a step that fails; the next build starts it again."""
    project = on("docker-container")
    container = f"buildx_buildkit_{builders['docker-container']}0"
    (project.settings.root / "Dockerfile").write_text(
        f"ARG BASE_IMAGE\nFROM ${{BASE_IMAGE}}\nRUN : {project.settings.image}; sleep 60\n"
    )
    killed: list[str] = []

    def watch(progress: Progress) -> None:
        if not killed and any(each.running and "sleep 60" in each.name for each in progress.steps):
            killed.append(docker("kill", container))

    with planned(project) as asked, pytest.raises(EngineError) as caught:
        build(asked, engine=project.engine, state=project.state, watch=watch)
    assert killed
    assert caught.value.what == f"The builder {builders['docker-container']} went away during the build."

    (project.settings.root / "Dockerfile").write_text("FROM scratch\nCOPY golden.json /\n")
    assert pipeline.build_image(project, progress="quiet").digest
