"""HAProxy while it runs: asked and told over its own socket, without a reload."""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.engines.containers import Container
from dockyard.errors import EngineError
from dockyard.gateway.config import BACKEND, SOCKET, alias

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.engines.daemon import Daemon

PAUSE = 0.05
SECONDS = 15.0
RUNNING = "2"
# Of `srv_admin_state`: off, by us or because its name leads nowhere; finishing what it has. That a server was once
# switched off by the configuration (0x04), or got another name (0x40), stays written there for good.
OFF = 0x01 | 0x02 | 0x20
DRAINING = 0x08 | 0x10


@dataclass(frozen=True, kw_only=True)
class Server:
    """One of the two places that a container can have in the gateway.

    Attributes:
        alias: The container's name on the network.
        up: Whether its checks are good.
        admin: HAProxy's own flags.
    """

    slot: str
    alias: str
    address: str
    up: bool
    admin: int

    @property
    def ready(self) -> bool:
        """Whether it gets new requests as long as it is up."""
        return not self.admin & (OFF | DRAINING)

    @property
    def off(self) -> bool:
        """Whether it is switched off."""
        return bool(self.admin & OFF)

    @property
    def draining(self) -> bool:
        """Whether it finishes what it has."""
        return bool(self.admin & DRAINING) and not self.off


def read_servers(told: str) -> tuple[Server, ...]:
    """Read an answer of `show servers state`."""
    lines = [line for line in told.splitlines() if line.strip()]
    begin = next((at for at, line in enumerate(lines) if line.startswith("# ")), len(lines))
    names = lines[begin][2:].split() if begin < len(lines) else []
    rows = (dict(zip(names, line.split(), strict=False)) for line in lines[begin + 1 :])
    return tuple(
        Server(
            slot=row["srv_name"],
            alias=row["srv_fqdn"],
            address=row["srv_addr"],
            up=row["srv_op_state"] == RUNNING,
            admin=int(row["srv_admin_state"]),
        )
        for row in rows
    )


def read_sessions(told: str) -> dict[str, int]:
    """Read an answer of `show stat`: each server's requests at this moment."""
    rows = csv.DictReader(told.removeprefix("# ").splitlines())
    return {row["svname"]: int(row["scur"] or 0) for row in rows if row["pxname"] == BACKEND}


class Admin:
    """The socket of a gateway.

    Args:
        daemon: The engine's socket.
        container: Id or name of the gateway.
    """

    def __init__(self, daemon: Daemon, container: str) -> None:
        self._name, self._container = container, Container(daemon=daemon, id=container)

    def ask(self, *commands: str) -> str:
        """Give HAProxy commands, and return what it says.

        Raises:
            EngineError: It does not answer.
        """
        script = f'printf "%s\\n" "$1" | socat -t 5 - UNIX-CONNECT:{SOCKET}'
        done = self._container.execute(["sh", "-c", script, "sh", "; ".join(commands)])
        if not done.ok:
            raise EngineError(f"{self._name} does not answer.", done.last_line, f"Look at `docker logs {self._name}`.")
        return done.output

    def servers(self) -> tuple[Server, ...]:
        """Return its two places."""
        return read_servers(self.ask(f"show servers state {BACKEND}"))

    def serving(self, container: str) -> bool:
        """Whether a container, and no other, gets the requests."""
        return [each.alias for each in self.servers() if each.ready] == [alias(container)]

    def send_to(self, container: str, address: str) -> None:
        """Send new requests to a container; the one that had them until now finishes what it has.

        Raises:
            EngineError: The gateway did not find the container, or its checks fail.
        """
        name = alias(container)
        servers = self.servers()
        chosen = next((each for each in servers if each.ready and each.alias == name), None)
        chosen = chosen or next((each for each in servers if not each.ready), servers[-1])
        at = f"set server {BACKEND}/{chosen.slot}"
        if not chosen.ready:
            self.ask(f"{at} state maint", f"{at} fqdn {name}", f"{at} addr {address}", f"{at} state ready")
        self._until(lambda: self._good(chosen.slot, name, address), f"did not find {name} healthy at {address}")
        for each in servers:
            if each.slot != chosen.slot and each.ready:
                self.ask(f"set server {BACKEND}/{each.slot} state drain")

    def _good(self, slot: str, name: str, address: str) -> bool:
        now = next(each for each in self.servers() if each.slot == slot)
        return now.up and now.ready and (now.alias, now.address) == (name, address)

    def send_to_none(self) -> None:
        """Answer every new request with 503; those that were begun go on."""
        self.ask(*(f"set server {BACKEND}/{each.slot} state drain" for each in self.servers() if each.ready))

    def drained(self, seconds: float) -> bool:
        """Wait until those that get no new requests have finished what they had; return whether they did in time."""
        leaving = [each.slot for each in self.servers() if each.draining]
        end = time.monotonic() + seconds
        while leaving:
            busy = read_sessions(self.ask("show stat"))
            if not any(busy.get(slot) for slot in leaving):
                break
            if time.monotonic() > end:
                return False
            time.sleep(PAUSE)
        return True

    def forget(self, spare: str) -> None:
        """Free the places of those that have gone; their names are asked for no more."""
        servers = self.servers()
        name = next((each.alias for each in servers if each.ready), spare)
        for each in servers:
            if not each.ready:
                at = f"set server {BACKEND}/{each.slot}"
                self.ask(f"{at} state maint", f"{at} fqdn {name}")

    def until_it_answers(self) -> None:
        """Wait until HAProxy has started.

        Raises:
            EngineError: It does not answer.
        """
        self._until(self._answers, "did not start")

    def _answers(self) -> bool:
        try:
            return bool(self.servers())
        except EngineError:
            return False

    def _until(self, reached: Callable[[], bool], failed: str) -> None:
        end = time.monotonic() + SECONDS
        while not reached():
            if time.monotonic() > end:
                raise EngineError(
                    f"{self._name} {failed} within {SECONDS:g} s.",
                    self._said(),
                    f"Look at `docker logs {self._name}`.",
                )
            time.sleep(PAUSE)

    def _said(self) -> str:
        lines = self._container.output().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "It logged nothing."
