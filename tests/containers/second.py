"""A second engine beside the machine's own, to be stopped, killed and started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from dockyard.engines import process

DEADLINE = 60


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
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "ip link set lo up; echo; exec sleep infinity"]
        )
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
        subprocess.run(["umount", "--recursive", "--lazy", str(self.folder)], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
