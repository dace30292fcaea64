"""An engine that goes away, and one that never was there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dockyard import build, machine, pipeline, plan, revision
from dockyard.engines import Engine, process
from dockyard.engines.buildx import Buildx
from dockyard.engines.daemon import Daemon
from dockyard.errors import EngineError
from dockyard.pipeline import observe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.pipeline import Project

DEADLINE = 60


class SecondEngine:
    """A second dockerd beside the machine's own, in folders of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"unix://{folder}/s"
        options = {"data-root": "data", "exec-root": "exec", "pidfile": "pid"}
        # Without a network of its own it would remove the bridge of the machine's engine.
        command = ["unshare", "--net", "dockerd", "--host", self.address, "--iptables=false", "--ip6tables=false"]
        command += [part for name, place in options.items() for part in (f"--{name}", str(folder / place))]
        self.pid = process.start_detached(command, log=folder / "log")

    def wait(self) -> None:
        deadline = time.monotonic() + DEADLINE
        while subprocess.run(["docker", "-H", self.address, "info"], capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.2)

    def stop(self) -> None:
        if process.running(self.pid):
            os.kill(self.pid, signal.SIGTERM)

    def wait_until_gone(self) -> None:
        deadline = time.monotonic() + DEADLINE
        while process.running(self.pid) and time.monotonic() < deadline:
            time.sleep(0.2)


@pytest.fixture
def second(tiny: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecondEngine]:
    """A second engine that has the base image; both doors lead to it."""
    if os.geteuid() != 0 or not shutil.which("dockerd"):
        pytest.skip("a second engine needs root and a dockerd of this machine")
    folder = Path(tempfile.mkdtemp(prefix="dy-", dir="/tmp"))  # a socket's path may have 108 characters only
    started = SecondEngine(folder)
    try:
        started.wait()
        base = machine.base_for(tiny.settings.python, tiny.wanted, tiny.engine).reference
        with subprocess.Popen(["docker", "save", base], stdout=subprocess.PIPE) as saved:
            load = ["docker", "-H", started.address, "load"]
            subprocess.run(load, stdin=saved.stdout, check=True, capture_output=True)
        monkeypatch.setenv("DOCKER_HOST", started.address)
        yield started
    finally:
        started.stop()
        started.wait_until_gone()
        subprocess.run(["umount", "--recursive", "--lazy", str(folder)], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


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
