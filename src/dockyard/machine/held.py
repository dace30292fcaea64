"""A base held against its pin: what a person should know before something is built on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard.errors import EngineError
from dockyard.machine import pins

if TYPE_CHECKING:
    from dockyard.machine.findings import Base
    from dockyard.machine.pins import Pin
    from dockyard.machine.search import Search

SHORT = 19


def held(search: Search, python: str, base: Base) -> Base:
    """Return a base with what is to be said of its pin.

    Raises:
        EngineError: It is not the pinned one, and that is required.
    """
    pinning = search.wanted.pinning
    if pinning is None:
        return base
    fault, pin = _fault(search, python, base)
    if fault and pinning.required:
        raise EngineError(
            f"Nothing is built on {base.reference}, which is not a pinned base.",
            fault,
            "Make the registry or a mirror reachable and run `invoke pin`, or set `require = false` in "
            "[tool.dockyard.pin].",
        )
    return replace(base, note=fault if pin else "") if fault or not pin else replace(base, note=stale(pin, pinning))


def _fault(search: Search, python: str, base: Base) -> tuple[str, Pin | None]:
    """Return why a base is not the pinned one, empty if it is, and the pin that was looked at."""
    wanted = search.wanted.reference(python)
    official = search.pin(wanted)
    if base.official:
        return ("" if official else f"{wanted} has no pin."), official
    if official and not official.assembled:
        where = f"{wanted} is pinned at {official.digest[:SHORT]}"
        return f"Its pin is not used: {where}, and this machine has an assembled base in its place.", official
    own = search.pin(base.reference)
    if own is None:
        return f"{base.reference} has no pin.", None
    facts = search.engine.daemon.image(base.reference)
    if facts and own.fits(facts):
        return "", own
    told = f"{base.reference} is {base.digest[:SHORT]}, and {own.digest[:SHORT]} was pinned on {own.pinned}"
    return f"{told}, here or on another machine; `invoke pin` says what moved.", own


def stale(pin: Pin, pinning: pins.Pinning) -> str:
    """Return that a pin is stale, with its age; empty if it is not."""
    age = pin.age(pins.today())
    if age <= pinning.max_age:
        return ""
    return f"The pin of {pin.reference} is {age} days old ({pin.pinned}); `invoke pin --update` looks for a newer base."
