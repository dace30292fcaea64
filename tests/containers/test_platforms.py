"""One image for several platforms: built, explained and pushed. Nothing is run in it, so that no emulator is needed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from serving import docker

from dockyard import pipeline
from dockyard.pipeline.explain import ExplainOptions, explain_build
from dockyard.pipeline.push import PushOptions, push_image
from dockyard.provenance import statements
from support import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from registries import Registry

    from dockyard.engines import Engine
    from dockyard.pipeline import Project

PLATFORMS = ("linux/amd64", "linux/arm64")


@pytest.fixture
def project(tmp_path: Path, unique: str, engine: Engine, registry: Registry) -> Iterator[Project]:
    """A project for two platforms, whose base the registry has for both."""
    folder = tmp_path / "project"
    folder.mkdir()
    base = f"{registry.host}/base:3.12"
    (folder / "greeting").write_text("hello\n")
    for platform in PLATFORMS:
        (folder / platform.rpartition("/")[2]).write_text(f"{unique} {platform}\n")
    (folder / "Dockerfile").write_text("FROM scratch\nARG TARGETARCH\nCOPY ${TARGETARCH} /platform\n")
    docker("buildx", "build", "--quiet", f"--platform={','.join(PLATFORMS)}", f"--tag={base}", str(folder))
    docker("push", "--quiet", base)
    (folder / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY greeting /app/greeting\n")
    (folder / "pyproject.toml").write_text(f'[project]\nname = "{unique}"\nversion = "1.0"\n')
    given = {"build.base": f"{registry.host}/base:{{python}}", "build.platforms": list(PLATFORMS), "sign.tool": "off"}
    project = opened(folder, engine, given)
    yield project
    list(pipeline.clean(project, images=True))
    docker("rmi", "--force", base)


def told(reference: str) -> Any:
    return json.loads(docker("buildx", "imagetools", "inspect", "--raw", reference))


def test_two_platforms(project: Project, registry: Registry) -> None:
    """Each platform has its steps in the record and its image in the registry; an edit is explained for both."""
    first = pipeline.build_image(project, pipeline.BuildOptions(provenance="max"), progress="quiet")
    assert len(first.platforms) == len(list(statements(first.attestations))) == len(PLATFORMS)
    copies = [step.stage for step in first.steps if "COPY" in step.name]
    assert [any(platform in stage for stage in copies) for platform in PLATFORMS] == [True, True]

    pushed = push_image(project, PushOptions(repository=f"{registry.host}/team/api", tags=("1.0",)))
    index = told(f"{pushed.repository}@{pushed.digest}")
    there = [each["platform"] for each in index["manifests"]]
    # What is attested of an image stands beside it, for no platform.
    assert {f"{each['os']}/{each['architecture']}" for each in there} == {*PLATFORMS, "unknown/unknown"}
    assert {*first.platforms} < {each["digest"] for each in index["manifests"]}
    assert first.digest in {pushed.digest, *(each["digest"] for each in index["manifests"])}

    (project.settings.root / "greeting").write_text("good evening\n")
    pipeline.build_image(project, progress="quiet")
    why = explain_build(project, ExplainOptions())
    ran = [step for step in why.ran if step.instruction.startswith("COPY")]
    assert len({step.label for step in ran}) == len(PLATFORMS)
    assert all([cause.subject for cause in step.causes] == ["greeting"] for step in ran)
