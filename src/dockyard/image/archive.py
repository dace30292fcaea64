"""Walks a saved image as it is sent: each blob is decompressed and digested at once, since what it is comes last."""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dockyard.image.notes import Fault, shown, unreadable
from dockyard.image.source import Source, grouped
from dockyard.image.tar import BLOCK, ZEROS, headers, is_header, normal
from dockyard.image.unpack import is_compressed, unpacker

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

MAX_MEMBERS = 10_000
MAX_JSON = 16 << 20
MAX_JSONS = 32 << 20
NAMED_BY_DIGEST = re.compile(r"/(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?")
LINKS, FILES = {b"1", b"2"}, {b"0", b"7"}


@dataclass(eq=False, kw_only=True)
class Blob:
    """A file of the archive; all but its name and kind is known once its last byte passed.

    Attributes:
        compressed: Its size.
        digest: Of its bytes, in hex.
        inner_digest: Of its bytes without their compression, if it is a layer; `size` is how many those are.
        data: Its bytes, if they are JSON.
        fault: Why it cannot be used.
    """

    name: str
    kind: Literal["layer", "json", "other"]
    compressed: int
    digest: str = ""
    inner_digest: str = ""
    size: int = 0
    data: bytes = b""
    fault: str = ""


class Archive:
    """A tar that `docker save`, or another tool that knows OCI layouts, wrote.

    Attributes:
        blobs: By the path in the archive.
        links: From path to path: older engines write a layer once and link to it.
        problems: What was refused.
    """

    def __init__(self, chunks: Generator[bytes, None, None]) -> None:
        self._received = chunks
        self._source = Source(chunks)
        self._jsons = 0
        self.blobs: dict[str, Blob] = {}
        self.links: dict[str, str] = {}
        self.problems: list[str] = []

    def events(self) -> Iterator[Blob | bytes]:
        """Yield each blob as it begins, then the bytes in it if it is a layer, then the same blob as it ends.

        Raises:
            EngineError: The archive is none, or is cut off.
        """
        members = 0
        try:
            for header in headers(self._source, marked=True):
                members += 1
                if members > MAX_MEMBERS:
                    raise unreadable("the archive", f"It has more than {MAX_MEMBERS} members.")
                name = normal(header.name)
                if name is None:
                    self.problems.append(f"The archive's member {shown(header.name)} leads out of it; it was refused.")
                elif header.type in LINKS:
                    self._link(name, header.target, symbolic=header.type == b"2")
                elif header.type in FILES:
                    yield from self._blob(name, header.size)
        except Fault as fault:
            raise unreadable("the archive", str(fault)) from None
        finally:
            self._received.close()

    def _link(self, name: str, target: str, *, symbolic: bool) -> None:
        place = normal(posixpath.join(posixpath.dirname(name), target) if symbolic else target)
        if place is None:
            self.problems.append(f"The archive's link {shown(name)} leads out of it; it was refused.")
        else:
            self.links[name] = place

    def _blob(self, name: str, size: int) -> Iterator[Blob | bytes]:
        outer = hashlib.sha256()
        chunks = self._chunks(name, size, outer)
        first = next(chunks, b"")
        blob = Blob(name=name, kind=_kind(first), compressed=size)
        if name in self.blobs and "sha256" not in name:
            blob.fault = "The archive has two of this name."
        self.blobs[name] = blob
        yield blob
        rest = _with(first, chunks)
        if blob.kind == "layer":
            yield from _layer(blob, rest, unpacker(first))
        elif blob.kind == "json":
            self._json(blob, rest)
        for _ in rest:
            pass
        blob.digest = outer.hexdigest()
        named = NAMED_BY_DIGEST.fullmatch(name)
        if named and named[1] != blob.digest:
            blob.fault = f"Its name says the digest {named[1][:12]}, its bytes have {blob.digest[:12]}."
        yield blob

    def _chunks(self, name: str, size: int, digest: hashlib._Hash) -> Iterator[bytes]:
        """Yield a member's bytes; that the archive ends too early is no fault of what is in it."""
        try:
            for buffer, start, end in self._source.pieces(size, whole=BLOCK):
                chunk = buffer[start:end]
                digest.update(chunk)
                yield chunk
        except Fault:
            raise unreadable(name, "The archive is cut off in the middle of it.") from None

    def _json(self, blob: Blob, chunks: Iterator[bytes]) -> None:
        if blob.compressed > MAX_JSON or self._jsons + blob.compressed > MAX_JSONS:
            blob.fault = f"It is too large for JSON that is read here: {blob.compressed >> 20} MiB."
            return
        self._jsons += blob.compressed
        blob.data = b"".join(chunks)


def _with(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _layer(
    blob: Blob, chunks: Iterator[bytes], unpack: Callable[[Iterator[bytes]], Iterator[bytes]]
) -> Iterator[bytes]:
    """Yield what is in a layer."""
    inner = hashlib.sha256()
    try:
        for chunk in grouped(unpack(chunks)):
            inner.update(chunk)
            blob.size += len(chunk)
            yield chunk
    except Fault as fault:
        blob.fault = str(fault)
    blob.inner_digest = inner.hexdigest()


def _kind(first: bytes) -> Literal["layer", "json", "other"]:
    """Tell what a blob is by how it begins."""
    begin = first[:BLOCK]
    if is_compressed(begin) or begin == ZEROS or is_header(begin):
        return "layer"
    return "json" if begin.lstrip()[:1] in {b"{", b"["} else "other"
