"""Who may talk to the service, and whom it may talk to, as a few words say it."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

NAMESPACE = "namespace/"
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
LABEL = re.compile(r"(?P<label>[A-Za-z0-9](?:[\w./-]*[A-Za-z0-9])?)=(?P<value>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)")
# IPv6 has colons too: a port comes after `*`, a mask or a word.
PORT = re.compile(r"(?P<who>\*|.*[A-Za-z0-9]):(?P<port>\d{1,5})")
LAST_PORT = 65535


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Some pods or addresses; one that is nothing in particular is everybody.

    Attributes:
        label: Of pods, as name and value; of this namespace's where no other is given.
        port: 0 is any.
    """

    cidr: str = ""
    namespace: str = ""
    label: tuple[str, str] | None = None
    port: int = 0

    @property
    def everybody(self) -> bool:
        """Whether it names no one."""
        return not (self.cidr or self.namespace or self.label)


def peer(text: str) -> Peer:
    """Read `*`, `10.0.0.0/8`, `namespace/NAME`, `LABEL=VALUE` or `namespace/NAME/LABEL=VALUE`, a port after a colon.

    Raises:
        ValueError: It is none of these.
    """
    found = PORT.fullmatch(text)
    who, port = (found["who"], int(found["port"])) if found else (text, 0)
    if found and not 0 < port <= LAST_PORT:
        raise _none(text)
    if who == "*":
        return Peer(port=port)
    if who.startswith(NAMESPACE):
        namespace, slash, rest = who.removeprefix(NAMESPACE).partition("/")
        if NAME.fullmatch(namespace) and (_label(rest) or not slash):
            return Peer(namespace=namespace, label=_label(rest), port=port)
        raise _none(text)
    if label := _label(who):
        return Peer(label=label, port=port)
    if "/" not in who:
        raise _none(text)
    try:
        return Peer(cidr=str(ipaddress.ip_network(who)), port=port)
    except ValueError:
        raise _none(text) from None


def _label(text: str) -> tuple[str, str] | None:
    found = LABEL.fullmatch(text)
    return (found["label"], found["value"]) if found else None


def _none(text: str) -> ValueError:
    forms = "*, 10.0.0.0/8, namespace/NAME, LABEL=VALUE or namespace/NAME/LABEL=VALUE"
    return ValueError(f"{text!r} is no peer: write {forms}, a port after a colon")
