"""The JSON of a saved image, read as what anyone may have written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dockyard.image.notes import shown, unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.image.archive import Blob

MAX_LINKS = 10
# What 16 MiB of brackets would become is more than memory should hold.
MAX_NODES = 500_000


class Documents:
    """The blobs of an archive by name.

    Args:
        blobs: By path.
        links: From path to path.
    """

    def __init__(self, blobs: Mapping[str, Blob], links: Mapping[str, str]) -> None:
        self._blobs = blobs
        self._links = links

    def find(self, name: str) -> Blob | None:
        """Return a blob, or None if it is not there."""
        for _ in range(MAX_LINKS):
            if name in self._blobs or name not in self._links:
                break
            name = self._links[name]
        return self._blobs.get(name)

    def need(self, name: str) -> Blob:
        """Return a blob that can be used.

        Raises:
            EngineError: It is missing or broken.
        """
        blob = self.find(name)
        if blob is None:
            raise unreadable(name, "The archive lacks it, though the image is made of it.")
        if blob.fault:
            raise unreadable(name, blob.fault)
        return blob

    def document(self, name: str) -> Any:
        """Return the JSON of a blob.

        Raises:
            EngineError: It is missing, broken or no JSON.
        """
        blob = self.need(name)
        nodes = sum(blob.data.count(mark) for mark in (b",", b"[", b"{"))
        if nodes > MAX_NODES:
            raise unreadable(name, f"Its JSON has more than {MAX_NODES} values.")
        try:
            return json.loads(blob.data)
        except (ValueError, RecursionError) as error:
            raise unreadable(name, f"It is no JSON: {shown(str(error))}.") from None


def blob_of(digest: object) -> str:
    """Return the path that a digest has in an OCI layout; one of nothing for what is no digest."""
    kind, _, value = text(digest).partition(":")
    return f"/blobs/{kind}/{value}"


def mapping(value: object) -> dict[str, Any]:
    """Return a JSON object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """Return a JSON array, or an empty one for anything else."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """Return a JSON string, or an empty one for anything else."""
    return value if isinstance(value, str) else ""
