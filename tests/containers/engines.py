"""An engine of a test's own: own folders and socket, in a network of its own, apart from the machine's."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from dockyard.engines import process
from dockyard.machine.engine import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# In the machine's network it would remove the bridge of the machine's own engine.
APART = '#!/bin/sh\nexec unshare --net {program} "$@"\n'
WITH_LOOPBACK = """#!/bin/sh
exec unshare --net sh -c 'ip link set lo up && exec "$0" "$@"' {program} "$@"
"""


@contextmanager
def laid(short: Path, *, settings: str = "{}", start: str = APART) -> Iterator[Place]:
    """Lay an engine out, installed and stopped; one that was started is ended afterwards.

    Args:
        short: A folder with a short name, since a socket's path holds 108 characters.
        settings: Its daemon.json.
        start: The script that starts it.
    """
    if os.geteuid() != 0 or not process.find("dockerd"):
        pytest.skip("Starting an engine needs root and dockerd.")
    root = short / "root"
    (root / "run/docker").mkdir(parents=True)
    (root / "proc").symlink_to("/proc")
    (root / "usr/sbin").mkdir(parents=True)
    program = root / "usr/sbin/dockerd"
    program.write_text(start.format(program=process.find("dockerd")))
    program.chmod(0o755)
    (root / "daemon.json").write_text(settings)
    yield Place(
        root=root,
        log=short / "state/dockerd.log",
        environment={},
        options=(
            f"--host={socket_of(short)}",
            f"--data-root={root}/data",
            f"--exec-root={root}/run/docker",
            f"--pidfile={root}/run/docker.pid",
            f"--config-file={root}/daemon.json",
            "--iptables=false",
            "--ip6tables=false",
        ),
    )
    for name in ("docker.pid", "docker/containerd/containerd.pid"):
        end(root / "run" / name)
    # An engine mounts its data folder onto itself, and one that was killed leaves it so.
    process.run(["umount", str(root / "data")])


def socket_of(short: Path) -> str:
    """Where such an engine answers."""
    return f"unix://{short}/root/run/docker.sock"


def end(pid_file: Path, sent: signal.Signals = signal.SIGTERM) -> None:
    """End the process of a pid file, if there is one."""
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text())
    deadline = time.monotonic() + 20
    while process.running(pid) and time.monotonic() < deadline:
        os.kill(pid, sent)
        time.sleep(0.05)
    assert not process.running(pid)
