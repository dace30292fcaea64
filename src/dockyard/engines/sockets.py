"""What listens within a container: read on this host where the engine is here, else by a command run in it."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.engines.containers import Container
    from dockyard.engines.facts import ContainerFacts

LISTENS = "0A"
HEADING = "local_address"
TABLES = ("tcp", "tcp6")
PYTHON = "for name in ('tcp', 'tcp6'): print(open('/proc/net/' + name).read())"
# The second is for images without a shell's tools. Either may fail at tcp6, which is not there without IPv6.
READERS = (["cat", *(f"/proc/net/{name}" for name in TABLES)], ["python3", "-c", PYTHON])
EXEC_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class Socket:
    """A listening socket in the container's own network."""

    address: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether nobody outside the container reaches it."""
        address = ipaddress.ip_address(self.address)
        mapped = getattr(address, "ipv4_mapped", None)
        return (mapped or address).is_loopback


def listening(container: Container, facts: ContainerFacts) -> tuple[Socket, ...] | None:
    """Return the listening sockets of a container; None where they cannot be seen, as of one that does not run."""
    seen = from_host(facts)
    return seen if seen is not None else _from_within(container, facts)


def from_host(facts: ContainerFacts, proc: Path = Path("/proc")) -> tuple[Socket, ...] | None:
    """Read the sockets where the container's process is one of this host's: it costs no process and changes nothing."""
    of = proc / str(facts.pid)
    try:
        # Of an engine elsewhere the number could be any process of ours; its control group names the container.
        if not facts.pid or facts.id not in (of / "cgroup").read_text("utf-8"):
            return None
        table = (of / "net" / "tcp").read_text("utf-8")
    except OSError:
        return None
    with suppress(OSError):
        table += (of / "net" / "tcp6").read_text("utf-8")
    return tuple(read_sockets(table))


def _from_within(container: Container, facts: ContainerFacts) -> tuple[Socket, ...] | None:
    for command in READERS if facts.pid else ():
        with suppress(EngineError):
            said = container.execute(command, seconds=EXEC_SECONDS).output
            if HEADING in said:
                return tuple(read_sockets(said))
    return None


def read_sockets(table: str) -> Iterator[Socket]:
    """Read /proc/net/tcp and tcp6: addresses are written in 32-bit words of this machine's byte order."""
    for line in table.splitlines():
        fields = line.split()
        if len(fields) > 3 and fields[3] == LISTENS and ":" in fields[1]:  # noqa: PLR2004 - as the kernel writes it
            address, port = fields[1].split(":")
            words = [bytes.fromhex(address[start : start + 8])[::-1] for start in range(0, len(address), 8)]
            yield Socket(address=str(ipaddress.ip_address(b"".join(words))), port=int(port, 16))
