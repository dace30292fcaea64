"""A second engine beside the machine's own, in folders and a network of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dockyard.engines import process

if TYPE_CHECKING:
    from collections.abc import Iterator

DEADLINE = 60


class SecondEngine:
    """A second dockerd; its network has no route, and no interface but its own bridge."""

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


@contextmanager
def second_engine() -> Iterator[SecondEngine]:
    """Start one that has nothing, and leave nothing of it."""
    if os.geteuid() != 0 or not shutil.which("dockerd"):
        pytest.skip("a second engine needs root and a dockerd of this machine")
    folder = Path(tempfile.mkdtemp(prefix="dy-", dir="/tmp"))  # a socket's path may have 108 characters only
    started = SecondEngine(folder)
    try:
        started.wait()
        yield started
    finally:
        started.stop()
        started.wait_until_gone()
        _swept(folder)


def _swept(folder: Path) -> None:
    """Remove a folder of an engine; what the engine had mounted goes a moment after it."""
    deadline = time.monotonic() + DEADLINE
    while folder.exists() and time.monotonic() < deadline:
        for mounted in ("data", "exec", ""):
            subprocess.run(["umount", "--recursive", "--lazy", str(folder / mounted)], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.2 * folder.exists())
