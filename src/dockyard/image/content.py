"""Reads one layer's tar as it passes: its names, its whiteouts, and the digest of each file."""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard.image.model import Entry
from dockyard.image.names import Content, Folders
from dockyard.image.notes import shown
from dockyard.image.scan import UNKNOWN
from dockyard.image.source import Source
from dockyard.image.tar import headers, normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockyard.image.model import Kind
    from dockyard.image.notes import Notes
    from dockyard.image.scan import Scanner
    from dockyard.image.tar import Header

    Keep = Callable[[str, int, bytes], bool]

WHITEOUT, OPAQUE, AUFS = ".wh.", ".wh..wh..opq", ".wh..wh."
KINDS: dict[bytes, Kind] = {
    b"0": "file",
    b"7": "file",
    b"S": "file",
    b"1": "hardlink",
    b"2": "symlink",
    b"3": "device",
    b"4": "device",
    b"5": "directory",
    b"6": "fifo",
}
# Files up to this size are looked at in one piece.
WHOLE = 1 << 18
# What `keep` is shown of a file.
BEGIN = 256
NOTHING = (b"", 0, 0)


class Reader:
    """Reads layers.

    Args:
        keep: Told a file's path, size and first bytes, says whether its bytes are kept.
        scanner: Looks for patterns.
        notes: Bounds what is kept.
    """

    def __init__(self, keep: Keep, scanner: Scanner, notes: Notes) -> None:
        self._keep = keep
        self._scanner = scanner
        self._notes = notes

    def read(self, chunks: Iterator[bytes]) -> Content:
        """Read one layer.

        Raises:
            Fault: It is no tar, is cut off, or holds more than can be held.
        """
        source, content = Source(chunks), Content()
        folders = Folders(content, self._notes)
        for header in headers(source, marked=False):
            path = normal(header.name)
            if path is None:
                self._notes.problem(f"{shown(header.name)} leads out of the image; it was refused.")
            elif header.type not in KINDS:
                self._notes.problem(f"{shown(path)} is of a kind that no image has; it was refused.")
            elif (path := folders.settled(path)) is not None:
                self._notes.name(path, header.target, header.capability)
                folder, _, base = path.rpartition("/")
                if base.startswith(WHITEOUT):
                    self._white_out(content, folder or "/", base)
                else:
                    self._add(content, folders, header, path, source)
        return content

    def _white_out(self, content: Content, folder: str, base: str) -> None:
        """Take a name that stands for the absence of others."""
        if base == OPAQUE:
            content.opaque.add(folder)
            return
        name = base.removeprefix(WHITEOUT)
        if base.startswith(AUFS):
            return
        path = posixpath.join(folder, name)
        if name in {"", ".", ".."}:
            self._notes.problem(f"{shown(folder)} has a whiteout of no file; it was refused.")
            return
        if path in content.entries:
            self._notes.problem(f"A layer has {shown(path)} and then its removal; engines differ on what that means.")
        content.whiteouts.add(path)

    def _add(self, content: Content, folders: Folders, header: Header, path: str, source: Source) -> None:
        """Take an entry."""
        kind = KINDS[header.type]
        if header.type == b"3" and header.device == (0, 0):
            self._notes.problem(f"{shown(path)} is the device 0:0, which overlayfs takes for a removal.")
            content.whiteouts.add(path)
            return
        if path == "/" and kind != "directory":
            self._notes.problem(f"A {kind} takes the place of the image's root; it was refused.")
            return
        content.dangling.discard(path)
        content.kept.pop(path, None)
        size, digest = self._file(content, header, path, source) if kind == "file" else (0, "")
        entry = Entry(
            path=path,
            kind=kind,
            mode=header.mode,
            uid=header.uid,
            gid=header.gid,
            size=size,
            mtime=header.mtime,
            target=header.target if kind == "symlink" else "",
            capability=header.capability,
            layer=UNKNOWN,
            sha256=digest,
        )
        placed = self._linked(content, entry, header.target) if kind == "hardlink" else entry
        if placed:
            folders.put(placed)

    def _linked(self, content: Content, entry: Entry, name: str) -> Entry | None:
        """Return a hard link's entry: all but its name is its target's."""
        target = normal(name)
        there = content.entries.get(target) if target else None
        if target in {None, entry.path} or (there and there.kind == "directory"):
            self._notes.problem(f"The hard link {shown(entry.path)} names no file of the image; it was refused.")
            return None
        if there is None:
            content.dangling.add(entry.path)
            return replace(entry, target=target)
        if target in content.kept:
            content.kept[entry.path] = content.kept[target]
        if target in content.dangling:
            content.dangling.add(entry.path)
        if there.kind not in {"file", "hardlink"}:
            return replace(there, path=entry.path)
        return replace(there, path=entry.path, kind="hardlink", target=there.target or target)

    def _file(self, content: Content, header: Header, path: str, source: Source) -> tuple[int, str]:
        """Read a file's bytes; return its size and digest."""
        if header.real < 0:
            return header.size, self._bytes(content, path, source, header.size, self._keep)
        self._notes.problem(f"{shown(path)} is a sparse file; its content was searched, but not digested.")
        self._bytes(content, path, source, header.size, lambda *_: False)
        return header.real, ""

    def _bytes(self, content: Content, path: str, source: Source, size: int, keep: Keep) -> str:
        """Search a file's bytes, keep them where they are to be kept, and return their digest."""
        pieces = source.pieces(size, whole=WHOLE)
        buffer, start, end = next(pieces, NOTHING)
        wanted = keep(path, size, buffer[start : min(end, start + BEGIN)]) and self._notes.keeps(path, size)
        digest = hashlib.sha256(memoryview(buffer)[start:end])
        if end - start == size:
            content.matches += self._scanner.whole(path, buffer, start, end)
            if wanted:
                content.kept[path] = buffer[start:end]
            return digest.hexdigest()
        kept = [buffer[start:end]] if wanted else []
        search = self._scanner.parts(path, (buffer, start, end))
        rest = size - (end - start)
        search.feed(buffer, start, end, last=False)
        for buffer, start, end in pieces:
            rest -= end - start
            digest.update(memoryview(buffer)[start:end])
            search.feed(buffer, start, end, last=not rest)
            if wanted:
                kept.append(buffer[start:end])
        content.matches += search.found
        if wanted:
            content.kept[path] = b"".join(kept)
        return digest.hexdigest()
