"""The images that a Dockerfile names itself: held against their pins as the base is, and taken by digest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard.errors import EngineError
from dockyard.machine.bases import base_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dockyard.machine.search import Search


@dataclass(frozen=True, kw_only=True)
class Others:
    """What a build takes in the places of such images.

    Attributes:
        images: As the Dockerfile names it, to what is taken; what is not pinned is not there.
        notes: What a person should know of a pin before something is built on it.
    """

    images: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def others_for(search: Search, references: Iterable[str]) -> Others:
    """Return what a build takes in the places of images; one that is not here as it is pinned is pulled.

    Raises:
        EngineError: One cannot be had as it is pinned, or has no pin though that is required.
        SettingsError: The pins cannot be read.
    """
    images, notes = {}, []
    for reference in references:
        if search.pin(reference) is None:
            _require_pin(search, reference)
            continue
        found = base_for(search.of(reference), "")
        images[reference] = found.pinned
        notes.append(found.note)
    return Others(images=images, notes=tuple(filter(None, notes)))


def _require_pin(search: Search, reference: str) -> None:
    if search.wanted.pinning and search.wanted.pinning.required:
        raise EngineError(
            f"Nothing is built with {reference}, which is not pinned.",
            f"{reference} has no pin.",
            "Run `invoke pin`, or set `require = false` in [tool.dockyard.pin].",
        )
