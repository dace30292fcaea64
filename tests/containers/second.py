"""A second engine beside the machine's own, to be stopped, killed and started again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from serving import KEY

from dockyard.engines import process

if TYPE_CHECKING:
    from collections.abc import Iterator

DEADLINE = 60


def require_engines() -> None:
    """Skip where nobody may start a second engine."""
    missing = [each for each in ("dockerd", "ip", "nsenter", "unshare") if not shutil.which(each)]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"a second engine needs root and {', '.join(missing) or 'dockerd'} of this machine")


class SecondEngine:
    """A second dockerd, in folders and a network of its own.

    Attributes:
        folder: Where all that it has lies.
        address: Where it answers.
        inside: What stands before a command that is to run in its network.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dy-", dir="/tmp"))  # a socket's path may have 108 characters only
        self.address = f"unix://{self.folder}/s"
        # Without a network of its own it would remove the bridge of the machine's engine; one that outlives it, so
        # that it can be started again.
        script = "ip link set lo up && echo ready && exec sleep infinity"
        self._holder = subprocess.Popen(["unshare", "--net", "sh", "-c", script], stdout=subprocess.PIPE)
        assert self._holder.stdout
        assert self._holder.stdout.readline() == b"ready\n"
        self.inside = ("nsenter", f"--net=/proc/{self._holder.pid}/ns/net")
        self.pid = 0

    def start(self) -> None:
        """Start it, again or for the first time, and wait until it answers."""
        # One that was killed left it behind, and a machine whose first process collects no others keeps its id in use.
        (self.folder / "pid").unlink(missing_ok=True)
        options = {"data-root": "data", "exec-root": "exec", "pidfile": "pid"}
        command = [*self.inside, "dockerd", "--host", self.address]
        command += [part for name, place in options.items() for part in (f"--{name}", str(self.folder / place))]
        self.pid = process.start_detached(command, log=self.folder / "log")
        deadline = time.monotonic() + DEADLINE
        while subprocess.run(["docker", "-H", self.address, "info"], capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.2)

    def load(self, *images: str) -> None:
        """Give it images of the machine's engine."""
        with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as saved:
            load = ["docker", "-H", self.address, "load"]
            subprocess.run(load, stdin=saved.stdout, check=True, capture_output=True)

    def stop(self, sent: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal, if it still runs."""
        if process.running(self.pid):
            os.kill(self.pid, sent)

    def wait_until_gone(self) -> None:
        deadline = time.monotonic() + DEADLINE
        while process.running(self.pid) and time.monotonic() < deadline:
            time.sleep(0.2)

    def remove(self) -> None:
        """End it, and remove what it had."""
        self.stop()
        self.wait_until_gone()
        with self._holder:
            self._holder.kill()
        # What the engine had mounted goes a moment after it.
        deadline = time.monotonic() + DEADLINE
        while self.folder.exists() and time.monotonic() < deadline:
            for place in (self.folder / "data", self.folder / "exec", self.folder):
                subprocess.run(["umount", "--recursive", "--lazy", str(place)], capture_output=True, check=False)
            shutil.rmtree(self.folder, ignore_errors=True)
            time.sleep(0.2 * self.folder.exists())


@contextmanager
def second_engine(*images: str) -> Iterator[SecondEngine]:
    """Start one that has those images of the machine's engine and nothing else; nothing is left of it afterwards."""
    require_engines()
    started = SecondEngine()
    try:
        started.start()
        if images:
            started.load(*images)
        yield started
    finally:
        started.remove()


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
