from __future__ import annotations

import pytest

from dockyard.engines.containers import Container
from dockyard.engines.sockets import Socket, from_host, listening, read_sockets
from support import FakeDaemon, container

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1753511 1 0
   1: 0100007F:E7B4 0100007F:1F40 06 00000000:00000000 03:0000173A 00000000     0        0 0 3 0
   2: 0B00007F:9A2D 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 17 1 0
  sl  local_address                         remote_address                        st tx_queue rx_queue tr
   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:0
"""


def test_sockets():
    """Listening sockets of both families are read, connections are not."""
    assert list(read_sockets(TCP)) == [
        Socket(address="0.0.0.0", port=8000),
        Socket(address="127.0.0.11", port=39469),
        Socket(address="::1", port=80),
    ]


@pytest.mark.parametrize("table", ["", "\n\n", "a b c 0A", "0: x 0 0B"])
def test_no_sockets(table):
    """A table without sockets has none."""
    assert list(read_sockets(table)) == []


@pytest.fixture
def proc(tmp_path):
    """A /proc in which process 7 is that of the container."""
    (tmp_path / "7" / "net").mkdir(parents=True)
    (tmp_path / "7" / "cgroup").write_text("0::/docker/old-1\n")
    (tmp_path / "7" / "net" / "tcp").write_text(TCP)
    return tmp_path


def test_from_host(proc):
    """Of a container on this host the tables of its process are read; a host without IPv6 has one of them only."""
    found = from_host(container(pid=7), proc)
    assert found
    assert found[0] == Socket(address="0.0.0.0", port=8000)


def test_of_another_host(proc):
    """A process of this host that only has the number of an engine's elsewhere is not taken for the container."""
    (proc / "7" / "cgroup").write_text("0::/user.slice\n")
    assert from_host(container(pid=7), proc) is None


@pytest.mark.parametrize("pid", [0, 8])
def test_not_running(proc, pid):
    """Of a container that does not run, or whose process has just gone, nothing is known."""
    assert from_host(container(pid=pid), proc) is None


def test_unknown(recorder):
    """A stopped container's sockets are unknown, and no command is tried in it."""
    daemon = FakeDaemon(recorder)
    assert listening(Container(daemon=daemon, id="old-1"), container(pid=0)) is None


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("0.0.0.0", False), ("::", False)],
)
def test_loopback(address, loopback):
    """Whether a socket is reached from outside does not depend on how its address is written."""
    assert Socket(address=address, port=1).loopback is loopback
