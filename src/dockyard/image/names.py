"""What a layer holds, and where its names lead: inside the image, through its own links, as containerd unpacks it."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard.image.notes import Fault, shown
from dockyard.image.tar import MAX_PATH

if TYPE_CHECKING:
    from dockyard.image.model import Entry, Match
    from dockyard.image.notes import Notes

# Linux follows no more links.
MAX_LINKS = 40
# For all the paths of a layer whose folders were not seen yet.
MAX_STEPS = 20_000_000
# A tool that writes layers does not do it once.
MAX_REPLACED = 64


@dataclass(kw_only=True)
class Content:
    """What a layer's tar holds; which layer that is, is known at the archive's end.

    Attributes:
        dangling: Hard links to files that only a layer below can have.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    whiteouts: set[str] = field(default_factory=set)
    opaque: set[str] = field(default_factory=set)
    dangling: set[str] = field(default_factory=set)
    kept: dict[str, bytes] = field(default_factory=dict)
    matches: list[Match] = field(default_factory=list)


class Folders:
    """The folders of a layer that is being read."""

    def __init__(self, content: Content, notes: Notes) -> None:
        self._content = content
        self._notes = notes
        self._known = {"/"}
        self._steps = 0
        self._replaced = 0

    def settled(self, path: str) -> str | None:
        """Return where an entry of this name ends up; None if that is no place for one.

        Raises:
            Fault: The layer's links lead in circles for too long.
        """
        folder, _, base = path.rpartition("/")
        if not folder or folder in self._known:
            return path
        place = self._walked(folder)
        if place is None:
            self._notes.problem(f"{shown(path)} is below something that is no folder; it was refused.")
            return None
        settled = posixpath.join(place, base)
        if settled != path:
            self._notes.problem(f"{shown(path)} goes through a link of its layer; it ends up at {shown(settled)}.")
        return settled if len(settled) <= MAX_PATH else None

    def _walked(self, folder: str) -> str | None:
        """Follow a folder's name through the links of this layer; what is not there yet becomes a folder."""
        place, links, ahead = "/", 0, folder.split("/")[:0:-1]
        while ahead:
            self._steps += 1
            part = ahead.pop()
            there = posixpath.join(place, part)
            entry = self._content.entries.get(there)
            if part in {"", ".", ".."}:
                place = posixpath.dirname(place) if part == ".." else place
            elif entry is None or entry.kind == "directory":
                place = there
                self._known.add(place)
            elif entry.kind == "symlink" and links < MAX_LINKS:
                links += 1
                ahead += entry.target.split("/")[::-1]
                place = "/" if entry.target.startswith("/") else place
            else:
                return None
        if self._steps > MAX_STEPS:
            raise Fault("Its names lead through too many folders and links.")
        return place

    def put(self, entry: Entry) -> None:
        """Put an entry in its place; what is no folder takes that of a folder with all that is in it."""
        if entry.kind == "directory":
            self._known.add(entry.path)
        elif entry.path in self._known:
            self._drop(entry.path)
        self._content.entries[entry.path] = entry

    def _drop(self, folder: str) -> None:
        self._replaced += 1
        if self._replaced > MAX_REPLACED:
            raise Fault("It replaces its own folders over and over.")
        below = f"{folder}/"
        self._known = {each for each in self._known if each != folder and not each.startswith(below)}
        for each in [each for each in self._content.entries if each.startswith(below)]:
            del self._content.entries[each]
            self._content.kept.pop(each, None)
            self._content.dangling.discard(each)
