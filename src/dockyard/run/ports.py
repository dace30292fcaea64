"""Who holds a port of this host."""

from __future__ import annotations

import errno
import socket
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Collection

    from dockyard.engines.daemon import Daemon


def require_free(address: str, port: int, *, daemon: Daemon, own: Collection[str] = ()) -> None:
    """Raise EngineError, naming the holder, if a port is taken by anything but our own containers.

    Args:
        address: Host address that will be published.
        port: Host port; 0 is always free.
        daemon: Asked which container publishes it.
        own: Ids of the containers that will make room.
    """
    if port == 0 or not _taken(address, port):
        return
    holders = daemon.containers(publishing=port)
    if any(each.id in own for each in holders):
        return
    holder = f"the container {holders[0].name} ({holders[0].image})" if holders else _process(port)
    raise EngineError(
        f"Port {port} is taken, so nothing was started.",
        f"It is held by {holder}.",
        f"Stop that, or take another port: `--port {(port + 1) % 2**16}`, or `port` in [tool.dockyard.run].",
    )


def _taken(address: str, port: int) -> bool:
    """Whether the address is in use; the engine's own test, done before it costs anything.

    What else can be wrong with an address the engine says better: it may have it, or the right to it, and we not.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((address, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _process(port: int) -> str:
    """Name the process that listens on a port, as far as this user may see it."""
    import psutil  # noqa: PLC0415 - only on the way to an error

    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        connections = []
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr[1] == port
        if listens and connection.pid:
            with suppress(psutil.NoSuchProcess):
                return f"the process {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return "a process of another user (`sudo ss -ltnp` names it)"
