from __future__ import annotations

import socket

import pytest

from dockyard.run.evidence import masked, refusals
from support import SECRET, container


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"key {SECRET}!", "key [REDACTED]!"),
        ("GET http://me:pass@host/x", "GET http://[REDACTED]@host/x"),
        ("red \x1b[31mtext\x07", "red  [31mtext "),
        ("plain: http://host/a@b", "plain: http://host/a@b"),
    ],
)
def test_masked(text, told):
    """Keys, passwords in addresses and what moves a cursor never reach a person's terminal."""
    assert masked(text, (SECRET,)) == told


def test_refusals():
    """A published port that nobody answers at is told with the reason; one that is answered is not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert refusals(container(ports={"8000/tcp": ("", port), "53/udp": ("", 1)})) == {}
    assert refusals(container(ports={"8000/tcp": ("127.0.0.1", port)})) == {f"127.0.0.1:{port}": "Connection refused"}
