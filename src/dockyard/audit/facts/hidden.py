"""What later layers do to the files of earlier ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockyard.image import Image


def hidden_by(image: Image, layer: int, path: str) -> int | None:
    """Return the first layer above that deletes or replaces a file of a layer; None if a container sees it."""
    above = (each for each in image.layers if each.index > layer)
    return next((each.index for each in above if path in each.entries or each.removes(path)), None)
