"""Bytes are counted once: names that are hard links of each other are one inode, wherever its first name is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dockyard.image import Entry, Image, Layer

    # The layer that holds the bytes, and the name that they have there.
    Inode = tuple[int, str]


def inode(image: Image, entry: Entry) -> Inode:
    """Return where a file's bytes are; a hard link may name a file of a layer below.

    The reader makes a link to a link one to the first name. Another file may have taken that name in between.
    """
    if entry.kind != "hardlink":
        return entry.layer, entry.path
    for layer in reversed(image.layers[: entry.layer + 1]):
        there = layer.entries.get(entry.target)
        if there is not None and there.is_file and entry.sha256 in {"", there.sha256}:
            return layer.index, entry.target
    return entry.layer, entry.target


def inodes(image: Image, entries: Iterable[Entry]) -> Mapping[Inode, Entry]:
    """Return the files among some entries, each once, with the name that they are known by: the first one."""
    found: dict[Inode, Entry] = {}
    for entry in entries:
        if entry.is_file:
            place = inode(image, entry)
            if place not in found or entry.kind == "file":
                found[place] = entry
    return found


def held(image: Image, layer: Layer) -> Mapping[Inode, Entry]:
    """Return the files whose bytes a layer has, whether they are seen or not."""
    return {place: entry for place, entry in inodes(image, layer.entries.values()).items() if place[0] == layer.index}
