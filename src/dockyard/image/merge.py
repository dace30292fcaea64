"""The file system that layers make together, as overlayfs shows it."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard.image.model import Entry
from dockyard.image.notes import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dockyard.image.model import Layer
    from dockyard.image.names import Content
    from dockyard.image.notes import Notes


class Merged:
    """The layers put so far, one above the other.

    Attributes:
        files: What a container sees, by path.
        contents: The kept bytes of those.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self.files: dict[str, Entry] = {"/": _folder("/", 0)}
        self.contents: dict[str, bytes] = {}

    def put(self, layer: Layer, content: Content) -> None:
        """Put a layer on top."""
        links = {path: self._link(layer.entries[path]) for path in content.dangling}
        self._remove(layer)
        for path, entry in layer.entries.items():
            found, kept = links[path] if path in content.dangling else (entry, content.kept.get(path))
            if found is None:
                self._notes.problem(f"The hard link {shown(path)} names a file that is not there; it was left out.")
                continue
            self._ensure_folder(path, layer.index)
            self.files[path] = found
            self.contents.pop(path, None)
            if kept is not None:
                self.contents[path] = kept

    def _link(self, entry: Entry) -> tuple[Entry | None, bytes | None]:
        """Return a hard link to a file of the layers below, and that file's bytes."""
        there = self.files.get(entry.target)
        if there is None or there.kind == "directory":
            return None, None
        kind = "hardlink" if there.kind == "file" else there.kind
        target = entry.target if there.kind == "file" else there.target
        found = replace(there, path=entry.path, kind=kind, target=target, layer=entry.layer)
        return found, self.contents.get(entry.target)

    def _remove(self, layer: Layer) -> None:
        """Take away what a layer removes, empties, or puts something else in the place of."""
        gone = layer.whiteouts | {
            path for path, entry in layer.entries.items() if entry.kind != "directory" and self._is_folder(path)
        }
        if not gone and not layer.opaque:
            return
        lost = {"/": "/" in layer.opaque}
        marks = gone | layer.opaque
        for path in [each for each in self.files if each in gone or (each != "/" and _inside(each, marks, lost))]:
            del self.files[path]
            self.contents.pop(path, None)

    def _is_folder(self, path: str) -> bool:
        there = self.files.get(path)
        return there is not None and there.kind == "directory"

    def _ensure_folder(self, path: str, layer: int) -> None:
        """Make the folders above an entry that no layer names, or that were something else, as containerd does."""
        missing = []
        above = posixpath.dirname(path)
        while not self._is_folder(above):
            missing.append(above)
            above = posixpath.dirname(above)
        for each in reversed(missing):
            self._notes.name(each)
            self.files[each] = _folder(each, layer)
            self.contents.pop(each, None)


def _folder(path: str, layer: int) -> Entry:
    """Return a folder of root's that nobody described."""
    return Entry(
        path=path,
        kind="directory",
        mode=0o755,
        uid=0,
        gid=0,
        size=0,
        mtime=0,
        target="",
        capability=b"",
        layer=layer,
        sha256="",
    )


def _inside(path: str, marks: frozenset[str], lost: dict[str, bool]) -> bool:
    """Whether one of the folders above a path is marked; what is known of a folder is written into `lost`."""
    folder = above = posixpath.dirname(path)
    climbed = []
    while above not in lost:
        climbed.append(above)
        above = posixpath.dirname(above)
    for each in reversed(climbed):
        lost[each] = each in marks or lost[posixpath.dirname(each)]
    return lost[folder]


def merge(
    layers: Sequence[Layer], contents: Sequence[Content], notes: Notes
) -> tuple[Mapping[str, Entry], Mapping[str, bytes]]:
    """Return what a container sees, sorted by path, and the kept bytes of it.

    Raises:
        Fault: It has more entries than can be held.
    """
    merged = Merged(notes)
    for layer, content in zip(layers, contents, strict=True):
        merged.put(layer, content)
    return dict(sorted(merged.files.items())), merged.contents
