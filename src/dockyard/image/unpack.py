"""Takes the compression off a layer, in bounded pieces: gzip, zstd or none."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING, Any, cast

from isal import igzip_lib

from dockyard.image.notes import Fault
from dockyard.image.source import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
# A frame that decompressors pass over; some tools begin a layer with one.
ZSTD_SKIPPED = tuple(bytes([low]) + b"\x2a\x4d\x18" for low in range(0x50, 0x60))
# What `zstd --ultra -20` wants; the two levels above need half a GB to read.
ZSTD_WINDOW = 32 << 20
# Compressed bytes that a new gzip member is fed with; more once it is long. What it leaves over is copied.
FED = 1 << 13


def unpacker(begin: bytes) -> Callable[[Iterator[bytes]], Iterator[bytes]]:
    """Return what takes the compression off a blob that begins so."""
    if begin.startswith(GZIP):
        return _gzip
    if begin.startswith((ZSTD, *ZSTD_SKIPPED)):
        return _zstd
    return iter


def is_compressed(begin: bytes) -> bool:
    """Whether a blob begins as a compressed one does."""
    return begin.startswith((GZIP, ZSTD, *ZSTD_SKIPPED))


def _gzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress one gzip member after the other; zeros after the last one are padding."""
    member, begun, fed = _new(), False, FED
    for chunk in chunks:
        at = 0
        while at < len(chunk):
            if not begun and not chunk[at]:
                at = len(chunk) - len(chunk[at:].lstrip(b"\0"))
                continue
            begun = True
            given = chunk[at : at + fed]
            yield from _decompressed(member, given)
            at += len(given)
            fed = min(fed * 2, CHUNK)
            if member.eof:
                at -= len(member.unused_data)
                member, begun, fed = _new(), False, FED
    if begun:
        raise Fault("Its gzip data is cut off.")


def _new() -> Any:
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)


def _decompressed(member: Any, data: bytes) -> Iterator[bytes]:
    """Feed a gzip member, and yield what comes of it."""
    try:
        piece = member.decompress(data, CHUNK)
        while piece:
            yield piece
            if member.eof or member.needs_input:
                return
            piece = member.decompress(b"", CHUNK)
    except (igzip_lib.error, EOFError) as error:  # type: ignore[misc] # its stub has the class as an instance
        raise Fault(f"Its gzip data is broken: {error}.") from None


class _File(io.RawIOBase):
    """Chunks as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        """Say yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return at most so many bytes."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = chunk
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def _zstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress one zstd frame after the other."""
    import zstandard  # noqa: PLC0415 - few layers are zstd

    machine = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
    try:
        with machine.stream_reader(
            cast("IO[bytes]", _File(chunks)), read_size=CHUNK, read_across_frames=True, closefd=False
        ) as reader:
            while piece := reader.read(CHUNK):
                yield piece
    except zstandard.ZstdError as error:
        raise Fault(f"Its zstd data is broken: {error}.") from None
