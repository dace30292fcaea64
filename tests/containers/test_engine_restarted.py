"""An engine that ends in the middle of a swap, and comes back."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from second import SecondEngine
from serving import KEY, folder_of
from swarms import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.operations


class Operator:
    """Somebody who types commands beside the second engine."""

    def __init__(self, engine: SecondEngine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.command = [*engine.inside, sys.executable, "-m", "invoke"]
        self.environment = {**os.environ, "API_KEY": KEY, "DOCKER_HOST": engine.address}

    def types(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of invoke to its end."""
        return subprocess.run(
            [*self.command, *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def loses_the_engine(self, phase: str, sent: signal.Signals, *words: str) -> tuple[int, str]:
        """Run a command whose engine ends as soon as it says that phase; return its exit code and what it said."""
        environment = {**self.environment, "DOCKYARD_RUN_WATCH": "60"}
        said: list[str] = []
        with subprocess.Popen(
            [*self.command, *words], cwd=self.folder, env=environment, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr
            for line in process.stderr:
                said.append(line)
                if phase in line:
                    self.engine.stop(sent)
        return process.returncode, "".join(said)

    def status(self) -> tuple[dict[str, object], str]:
        """Return what is running, and what was said beside it."""
        done = self.types("status", "--format", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), done.stderr


@pytest.fixture(scope="module")
def operator(images: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """Somebody whose second engine serves release one."""
    if os.geteuid() != 0 or not shutil.which("dockerd"):
        pytest.skip("a second engine needs root and a dockerd of this machine")
    engine = SecondEngine()
    try:
        engine.start()
        engine.load(*(f"{images}:{tag}" for tag in ("one", "two")))
        operator = Operator(engine, folder_of(tmp_path_factory.mktemp("restarted") / "service", images))
        started = operator.types("run", "--prod")
        assert started.returncode == 0, started.stderr
        yield operator
        stopped = operator.types("stop")
        assert stopped.returncode == 0, stopped.stderr
    finally:
        engine.remove()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
@pytest.mark.parametrize("phase", ["… starting", "the old one makes way", "watching it"])
def test_engine_ends_in_a_swap(operator: Operator, phase: str, sent: signal.Signals) -> None:
    """The command says that the engine went away, with exit code 3; once it is back, the next one settles the swap."""
    before, _ = operator.status()
    code, said = operator.loses_the_engine(phase, sent, "run", "--prod", "--tag", "two")
    assert code == 3, said
    assert "error: The engine went away while" in said
    operator.engine.wait_until_gone()
    operator.engine.start()
    _, told = operator.status()
    assert "was cut off at the step" in told
    after = until(lambda: (now := operator.status()[0])["health"] == "healthy" and now, "a healthy service")
    assert after["digest"] == before["digest"], (told, said)
    proved = operator.types("smoke")
    assert proved.returncode == 0, proved.stdout + proved.stderr
    containers = subprocess.run(
        ["docker", "-H", operator.engine.address, "ps", "--all", "--format", "{{.Names}}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert containers == [before["container"]]
