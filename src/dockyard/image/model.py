"""What a saved image holds: its configuration, its layers, and the file system that they make together."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal

from dockyard.image.documents import items, mapping, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Kind = Literal["file", "directory", "symlink", "hardlink", "device", "fifo"]
# What Linux follows before it says ELOOP.
MAX_LINKS = 40
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
EXECUTABLE = 0o111


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a layer.

    Attributes:
        path: Absolute and normalised; bytes that are not UTF-8 are surrogates, as `os.fsdecode` has them.
        mode: The twelve bits of rights, set-user-ID and the like.
        size: Bytes; of a hard link, those of the file that it names.
        target: What a symbolic link holds, or the path that a hard link names.
        capability: The attribute security.capability, as the kernel stores it.
        layer: Index of the layer that it comes from.
        sha256: Of a file's bytes, in hex; a hard link has its file's; empty for all else.
    """

    path: str
    kind: Kind
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    target: str
    capability: bytes
    layer: int
    sha256: str

    @property
    def is_file(self) -> bool:
        """Whether it has bytes: a file, by its first name or another."""
        return self.kind in {"file", "hardlink"}

    def in_layer(self, index: int) -> Entry:
        """Return the same entry of another layer; `dataclasses.replace` takes three times as long."""
        return Entry(
            self.path,
            self.kind,
            self.mode,
            self.uid,
            self.gid,
            self.size,
            self.mtime,
            self.target,
            self.capability,
            index,
            self.sha256,
        )


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer, as it was sent.

    Attributes:
        index: From the lowest, which is 0.
        digest: Of the blob, as it is in the archive.
        diff_id: Of the tar in it.
        size: Bytes of that tar.
        compressed: Bytes of the blob.
        history: Index of its step in `Image.history`; -1 where the history does not say.
        entries: Its names; the last of equal ones.
        whiteouts: Paths that it removes from the layers below.
        opaque: Folders of which it hides all that the layers below have.
    """

    index: int
    digest: str
    diff_id: str
    size: int
    compressed: int
    history: int
    entries: Mapping[str, Entry] = field(repr=False)
    whiteouts: frozenset[str] = field(repr=False)
    opaque: frozenset[str] = field(repr=False)

    def removes(self, path: str) -> bool:
        """Whether it takes away what the layers below have at a path: that itself, or a folder above it."""
        above = parents(path)
        if path in self.whiteouts or any(each in self.whiteouts or each in self.opaque for each in above):
            return True
        return any((found := self.entries.get(each)) is not None and found.kind != "directory" for each in above)


def parents(path: str) -> tuple[str, ...]:
    """Return the folders that hold a path, the root first."""
    return ("/", *accumulate(f"/{name}" for name in path.strip("/").split("/")[:-1]))


@dataclass(frozen=True, kw_only=True)
class HistoryStep:
    """One instruction of the build; `layer` is the index of the layer that it made, if it made one."""

    created_by: str
    created: str
    comment: str
    empty: bool
    layer: int | None


@dataclass(frozen=True, kw_only=True)
class Match:
    """Where a pattern matched; what matched is kept as a fingerprint only: 12 hex digits of its SHA-256."""

    pattern: str
    layer: int
    path: str
    offset: int
    length: int
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """Something to look for in every file.

    Attributes:
        name: How a match is reported.
        triggers: Literals of which every match holds one; the expression is tried only near them.
        regex: What to match; a match of more than 4 kB may be missed.
        text_only: Leave out files with a NUL in their first 8 kB.
    """

    name: str
    triggers: tuple[bytes, ...]
    regex: bytes
    text_only: bool


@dataclass(frozen=True, kw_only=True)
class Removed:
    """A name of a layer that the image no longer shows, though its bytes are still sent with it.

    Attributes:
        entry: The name, as its own layer has it.
        content: Its bytes, where they were kept.
    """

    entry: Entry
    content: bytes | None


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image, read from one pass over its archive.

    Attributes:
        reference: What it was asked for as, or is called in the archive.
        id: Digest of its configuration.
        digest: Digest of its manifest; empty where the archive has none.
        config: The raw configuration: architecture, config, rootfs, history.
        files: What a container sees; the last layer's word counts.
        contents: The bytes of kept files as a container sees them.
        kept: The bytes of kept files by layer and path, those that were deleted later included.
        problems: What was refused or left out, a sentence each.
        attestations: The in-toto statements that the index has of this image.
    """

    reference: str
    id: str
    digest: str
    config: Mapping[str, Any] = field(repr=False)
    history: tuple[HistoryStep, ...] = field(repr=False)
    layers: tuple[Layer, ...] = field(repr=False)
    files: Mapping[str, Entry] = field(repr=False)
    contents: Mapping[str, bytes] = field(repr=False)
    kept: Mapping[tuple[int, str], bytes] = field(repr=False)
    matches: tuple[Match, ...] = ()
    problems: tuple[str, ...] = ()
    attestations: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    def resolve(self, path: str) -> Entry | None:
        """Return what a path leads to, through links of its folders and its own; None if it leads nowhere or out."""
        place, links, ahead = "/", 0, path.split("/")[::-1]
        while ahead:
            part = ahead.pop()
            if part == ".." and place == "/":
                return None
            if part in {"", ".", ".."}:
                place = posixpath.dirname(place) if part == ".." else place
                continue
            there = self.files.get(posixpath.join(place, part))
            if there is not None and there.kind == "symlink" and links < MAX_LINKS:
                links += 1
                ahead += there.target.split("/")[::-1]
                place = "/" if there.target.startswith("/") else place
            elif there is None or there.kind == "symlink" or (any(ahead) and there.kind != "directory"):
                return None
            else:
                place = there.path
        return self.files.get(place)

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a kept file, through links; None if there are none."""
        found = self.resolve(path)
        return self.contents.get(found.path) if found else None

    def children(self, folder: str) -> Iterator[Entry]:
        """Yield what is in a folder, through links, by name."""
        found = self.resolve(folder)
        yield from (self.files[path] for path in self._folders.get(found.path if found else "", ()))

    @cached_property
    def _folders(self) -> Mapping[str, list[str]]:
        """The paths in each folder."""
        folders: dict[str, list[str]] = {}
        for path in self.files:
            if path != "/":
                folders.setdefault(posixpath.dirname(path), []).append(path)
        return folders

    def which(self, program: str) -> tuple[Entry, ...]:
        """Return the executable files that a name or path can mean, along PATH; the first is the one that is run."""
        settings = mapping(self.config.get("config"))
        home = text(settings.get("WorkingDir"))
        if "/" in program:
            places = [posixpath.join("/", home, program)]
        else:
            told = [each for each in map(text, items(settings.get("Env"))) if each.startswith("PATH=")]
            search = told[-1].removeprefix("PATH=") if told else DEFAULT_PATH
            places = [posixpath.join("/", home, each, program) for each in search.split(":")]
        found = (self.resolve(each) for each in places)
        return tuple(each for each in found if each and each.is_file and each.mode & EXECUTABLE)

    def removed(self) -> Iterator[Removed]:
        """Yield what a layer has and a later one hides or overwrites, with its bytes; folders are left out."""
        for layer in self.layers:
            for path, entry in layer.entries.items():
                there = self.files.get(path)
                if entry.kind != "directory" and (there is None or there.layer != layer.index):
                    yield Removed(entry=entry, content=self.kept.get((layer.index, path)))
