"""What later layers do to the files of earlier ones."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockyard.image import Image, Layer


def hidden_by(image: Image, layer: int, path: str) -> int | None:
    """Return the first layer above that deletes or replaces a file of a layer; None if a container sees it."""
    above = parents(path)
    for each in image.layers:
        if each.index > layer and _hides(each, path, above):
            return each.index
    return None


def _hides(layer: Layer, path: str, above: tuple[str, ...]) -> bool:
    if path in layer.whiteouts or path in layer.entries:
        return True
    if any(each in layer.whiteouts or each in layer.opaque for each in above):
        return True
    return any((found := layer.entries.get(each)) is not None and found.kind != "directory" for each in above)


def parents(path: str) -> tuple[str, ...]:
    """Return the folders that hold a path, the root first."""
    names = path.strip("/").split("/")[:-1]
    return ("/", *accumulate(f"/{name}" for name in names))
