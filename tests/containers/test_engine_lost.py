"""An engine that goes away, and one that never was there."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from second import second_engine

from dockyard import build, machine, pipeline, plan, revision
from dockyard.engines import Engine
from dockyard.engines.buildx import Buildx
from dockyard.engines.daemon import Daemon
from dockyard.errors import EngineError
from dockyard.pipeline import observe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from second import SecondEngine

    from dockyard.pipeline import Project


@pytest.fixture
def second(tiny: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecondEngine]:
    """A second engine that has the base image; both doors lead to it."""
    with second_engine() as started:
        base = machine.base_for(tiny.settings.python, tiny.wanted, tiny.engine).reference
        with subprocess.Popen(["docker", "save", base], stdout=subprocess.PIPE) as saved:
            load = ["docker", "-H", started.address, "load"]
            subprocess.run(load, stdin=saved.stdout, check=True, capture_output=True)
        monkeypatch.setenv("DOCKER_HOST", started.address)
        yield started


def test_an_engine_that_stops_during_a_build_is_said(tiny: Project, second: SecondEngine) -> None:
    """If the engine stops half-way, the build ends with exit code 3, and says that the engine went away."""
    with (tiny.settings.root / "Dockerfile").open("a") as stream:
        stream.write("RUN sleep 121\n")

    def stop_it(progress: build.Progress) -> None:
        if any(step.running and "sleep 121" in step.name for step in progress.steps):
            second.stop()

    there = Engine(Buildx(), Daemon())
    planned = plan.build_plan(
        tiny.settings,
        base=machine.base_for(tiny.settings.python, tiny.wanted, there),
        revision=revision.read(tiny.settings.root),
        secrets={},
    )
    with pytest.raises(EngineError, match="went away") as caught:
        build.build(planned, engine=there, state=tiny.state, watch=stop_it)
    assert caught.value.exit_code == 3
    assert "invoke setup" in caught.value.todo
    assert tiny.state.records("builds") == []


def test_no_engine_is_said_in_three_lines(tiny: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where no engine answers, each command says so with exit code 3 and what to do."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    monkeypatch.setenv("API_KEY", "k" * 40)
    project = pipeline.Project(tiny.loaded, Engine(Buildx(), Daemon()), tiny.console)
    for command in (
        lambda: pipeline.build_image(project, progress="quiet"),
        lambda: pipeline.start_production(project),
        lambda: observe.status(project),
    ):
        with pytest.raises(EngineError) as caught:
            command()
        assert caught.value.exit_code == 3
        assert "does not answer" in caught.value.what
        assert "invoke setup" in caught.value.todo
