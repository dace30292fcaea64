from __future__ import annotations

import os
import socket

import psutil
import pytest

from dockyard.errors import EngineError
from dockyard.run.ports import require_free
from support import FakeDaemon, container, sentences


@pytest.fixture
def server():
    """A socket of this process that listens on a free port of this host."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def port(server):
    """The port that is taken."""
    return server.getsockname()[1]


def refused(port: int, daemon: FakeDaemon, own: str | None = None) -> tuple[str, str, str]:
    """Ask for a port that is taken, and return the error's three lines."""
    with pytest.raises(EngineError) as caught:
        require_free("127.0.0.1", port, daemon=daemon, own=own)
    return sentences(caught.value)


def test_free(server, port, recorder):
    """A port that nobody holds is free, at once after it was given back too."""
    with socket.create_connection(("127.0.0.1", port)):
        # Who closes first keeps the port for a minute.
        server.accept()[0].close()
    server.close()

    require_free("127.0.0.1", port, daemon=FakeDaemon(recorder), own=None)


def test_any(recorder):
    """Port 0 takes a free one, and needs no look."""
    require_free("127.0.0.1", 0, daemon=FakeDaemon(recorder), own=None)


def test_process(port, recorder):
    """A port that a process holds is refused, with its name, its number and the next step."""
    what, why, todo = refused(port, FakeDaemon(recorder))

    assert what == f"Port {port} is taken, so nothing was started."
    assert why == f"It is held by the process {psutil.Process().name()} (pid {os.getpid()})."
    assert f"--port {port + 1}" in todo
    assert "[tool.dockyard.run]" in todo


def test_all_interfaces(port, recorder):
    """A port that is held on one address cannot be published on all."""
    with pytest.raises(EngineError):
        require_free("0.0.0.0", port, daemon=FakeDaemon(recorder), own=None)


def test_container(port, recorder):
    """A port that another container publishes is refused, with its name and image."""
    other = container(id="their-1", name="db", image="postgres:17", ports={"5432/tcp": ("127.0.0.1", port)})

    assert refused(port, FakeDaemon(recorder, other), own="old-1")[1] == "It is held by the container db (postgres:17)."


def test_own(port, recorder):
    """A port that our own container holds will be free once it makes room."""
    ours = container(ports={"8000/tcp": ("127.0.0.1", port)})

    require_free("127.0.0.1", port, daemon=FakeDaemon(recorder, ours), own=ours.id)


def test_not_published_by_own(port, recorder):
    """That our own container runs is of no help if something else holds the port."""
    ours = container(ports={"8000/tcp": ("127.0.0.1", 1)})

    assert "the process" in refused(port, FakeDaemon(recorder, ours), own=ours.id)[1]


@pytest.mark.parametrize("seen", ["denied", "nobody"])
def test_unseen(port, recorder, monkeypatch, seen):
    """A holder that this user may not see is said to be somebody else's, with the command that names it."""

    def connections(kind):
        if seen == "denied":
            raise psutil.AccessDenied
        return []

    monkeypatch.setattr(psutil, "net_connections", connections)

    assert refused(port, FakeDaemon(recorder))[1] == (
        "It is held by a process of another user (`sudo ss -ltnp` names it)."
    )


def test_ended_meanwhile(port, recorder, monkeypatch):
    """A holder that ends while it is looked up is no mistake of ours."""
    monkeypatch.setattr(psutil, "Process", lambda pid: (_ for _ in ()).throw(psutil.NoSuchProcess(pid)))

    assert "a process" in refused(port, FakeDaemon(recorder))[1]


def test_ipv6(recorder):
    """An IPv6 address is asked as one."""
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError as error:
        pytest.skip(f"this host has no IPv6: {error}")
    with server, pytest.raises(EngineError):
        require_free("::1", server.getsockname()[1], daemon=FakeDaemon(recorder), own=None)


@pytest.mark.parametrize("address", ["192.0.2.7", "no such address"])
def test_no_such_address(address, recorder):
    """An address that this host has not is not a port that is taken: docker says what is wrong with it."""
    require_free(address, 8000, daemon=FakeDaemon(recorder), own=None)


def test_last_port(recorder, monkeypatch):
    """The port that is proposed is one that there is."""
    monkeypatch.setattr("dockyard.run.ports._taken", lambda *_: True)

    assert "--port 65536" not in refused(65535, FakeDaemon(recorder))[2]
