"""When the support of a base's system and of its Python ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date  # noqa: TC003 - a field of End
from typing import TYPE_CHECKING

from dockyard.support import PYTHON, SYSTEMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.machine.pins import Pin
    from dockyard.support import Support


@dataclass(frozen=True, kw_only=True)
class End:
    """The end of something's support.

    Attributes:
        what: For instance `debian 12`.
        regular: Its last day.
        lts: The last day of what comes after it, without a contract; None where nothing does.
        days: From today to that last day; negative once it is past.
    """

    what: str
    regular: date
    lts: date | None
    days: int

    @property
    def over(self) -> bool:
        """Whether the regular support has ended."""
        return self.days < 0


def ends(pin: Pin, today: date) -> tuple[End, ...]:
    """Return the ends that are known, of the system and of the Python."""
    return tuple(_ends(pin, today))


def _ends(pin: Pin, today: date) -> Iterator[End]:
    name, _, version = pin.system.partition(" ")
    digits = 1 if name == "debian" else 2
    release = ".".join(version.split(".")[:digits])
    if support := SYSTEMS.get(name, {}).get(release):
        yield _end(f"{name} {release}", support, today)
    for minor in dict.fromkeys(re.findall(r"\b\d+\.\d+", pin.python)):
        if minor in PYTHON:
            yield _end(f"Python {minor}", PYTHON[minor], today)


def _end(what: str, support: Support, today: date) -> End:
    return End(what=what, regular=support.regular, lts=support.lts, days=(support.regular - today).days)
