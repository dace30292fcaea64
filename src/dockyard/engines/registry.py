"""What a registry says of an image beyond its digest; the engine asks it, with its own mirrors and credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.engines.daemon import guarded

if TYPE_CHECKING:
    from dockyard.engines.daemon import Daemon

PARTS = ("os", "architecture", "variant")


def platforms(daemon: Daemon, reference: str) -> tuple[str, ...]:
    """Return the platforms of an image of many, for instance `linux/arm64/v8`; none of an image of one.

    Raises:
        EngineError: The registry does not answer, or has it not.
    """
    with guarded(f"The registry was asked for {reference}."):
        told = daemon.api.inspect_distribution(reference)  # type: ignore[no-untyped-call]
    found = (
        tuple(each.get(part) or "" for part in ("os", "architecture", "variant")) for each in told["Platforms"] or ()
    )
    # What is attached to an image, such as its provenance, is of no platform.
    return tuple(sorted({"/".join(filter(None, parts)) for parts in found if parts[0] not in {"", "unknown"}}))
