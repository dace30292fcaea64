"""What can be seen of a container that does not serve; gathered once, so that what is said of it can be tested."""

from __future__ import annotations

import os
import re
import socket
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockyard.engines.containers import Container
from dockyard.engines.facts import moment
from dockyard.engines.sockets import Socket, listening
from dockyard.errors import EngineError
from dockyard.machine.corporate import REDACTED, redacted
from dockyard.run.own import read_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.engines.daemon import Daemon
    from dockyard.engines.facts import ContainerFacts

READ_LINES = 200
CONNECT_SECONDS = 1.0
SLACK = 5  # seconds before an end in which the engine may have written its event down
EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared
# The engine's own name server, in the network of every container that is on a network of its own.
ENGINE_DNS = "127.0.0.11"
URL = re.compile(r"\w+://[^/@\s]+@")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was seen of a container, without its keys.

    Attributes:
        lines: The last lines that it logged.
        sockets: What listens in it; None where that cannot be seen.
        refused: Published ports that do not answer on this host, and why.
        slow: Whether nothing is wrong with it but that the wait has ended.
        image_gone: Whether the engine has lost its image.
        ready: Whether its ready route has answered 200 while it was waited for.
        restarted: Whether it was started again while it was waited for: what is seen of it is of its new life.
        code: What it ended with before that, if the engine still knows.
    """

    facts: ContainerFacts
    lines: tuple[str, ...] = ()
    sockets: tuple[Socket, ...] | None = None
    refused: Mapping[str, str] | None = None
    slow: bool = False
    image_gone: bool = False
    ready: bool = False
    restarted: bool = False
    code: int | None = None

    @property
    def ended(self) -> bool:
        """Whether its process is gone, for good or until it is restarted."""
        return self.facts.status not in ("running", "paused")

    @property
    def published(self) -> tuple[int, ...]:
        """The TCP ports in it that are published."""
        return published(self.facts)

    @property
    def listens(self) -> tuple[Socket, ...]:
        """What the service itself listens on."""
        return tuple(each for each in self.sockets or () if each.address != ENGINE_DNS)


def published(facts: ContainerFacts) -> tuple[int, ...]:
    """Return the TCP ports in a container that are published on the host."""
    pairs = (name.partition("/") for name in facts.ports)
    return tuple(int(port) for port, _, kind in pairs if kind == "tcp")


def bound(facts: ContainerFacts, sockets: tuple[Socket, ...]) -> bool:
    """Whether a published port is listened on where the host reaches it; nothing published asks for nothing."""
    ports = published(facts)
    return not ports or any(each.port in ports and not each.loopback for each in sockets)


def gather(facts: ContainerFacts, daemon: Daemon) -> Evidence:
    """Look at a container from outside and, while it runs, from within; what cannot be seen is left out."""
    keys = keys_of(facts, daemon)
    with suppress(EngineError):
        # Memory kills and exit codes arrive a moment after the end that they explain.
        facts = daemon.container(facts.id) or facts
    checks = tuple(replace(each, output=masked(each.output, keys)) for each in facts.checks)
    facts = replace(facts, checks=checks, health_output=masked(facts.health_output, keys))
    lines: tuple[str, ...] = ()
    with suppress(EngineError):
        lines = tuple(masked(line, keys) for line in daemon.logs(facts.id, lines=READ_LINES))
    return Evidence(
        facts=facts,
        lines=lines,
        sockets=listening(Container(daemon=daemon, id=facts.id), facts),
        refused=refusals(facts) if facts.pid else None,
    )


def last_end(facts: ContainerFacts, daemon: Daemon) -> int | None:
    """Return the exit code of a container that was started again; None if the engine has forgotten it."""
    at = moment(facts.finished)
    with suppress(EngineError):
        return Container(daemon=daemon, id=facts.id).last_end(since=at.timestamp() - SLACK) if at else None
    return None


def keys_of(facts: ContainerFacts, daemon: Daemon) -> tuple[str, ...]:
    """Return the keys that a container was given, to be taken out of what it says."""
    try:
        return read_keys(facts.id, daemon)
    except EngineError:
        return ()


def masked(text: str, keys: tuple[str, ...]) -> str:
    """Return a text without keys, without passwords in addresses, and without what would move a terminal's cursor."""
    for key in keys:
        text = text.replace(key, REDACTED)
    text = redacted(text) if URL.search(text) else text
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text)


def refusals(facts: ContainerFacts) -> dict[str, str]:
    """Return the published ports that cannot be connected to from here, as `address:port`, and why."""
    found = {}
    for name, (address, port) in facts.ports.items():
        if name.endswith("/tcp") and port:
            try:
                socket.create_connection((EVERYWHERE.get(address, address), port), CONNECT_SECONDS).close()
            except OSError as error:
                found[f"{address}:{port}"] = os.strerror(error.errno) if error.errno else str(error)
    return found
