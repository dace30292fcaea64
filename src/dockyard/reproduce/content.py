"""In what the bytes of two files differ."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace

from dockyard.reproduce import masks, packed
from dockyard.reproduce.difference import How, Seen
from dockyard.reproduce.shown import diff, is_text

GZIP = b"\x1f\x8b"
# Nobody says how much a few bytes of gzip hold.
MAX_UNPACKED = 16 << 20
WORD = re.compile(rb"[\w./+-]+")


def seen(path: str, one: bytes, other: bytes, *, since: int, depth: int = 0) -> Seen:
    """Return how two contents differ; the plainest reason that explains all of it.

    Args:
        path: Of the file.
        one: Its bytes.
        other: Its bytes in the other image.
        since: Seconds; no number below is taken for a time of the builds.
        depth: How many archives it is in.
    """
    known = packed.bytecode(path, one, other) or packed.archive(one, other)
    if known:
        return known
    if one.startswith(GZIP) and other.startswith(GZIP) and depth == 0:
        inner = [_unpacked(each) for each in (one, other)]
        if inner[0] == inner[1]:
            return Seen(how=How.GZIP, detail=packed.gzip_header(one, other))
        if None not in inner:
            found = seen(path.removesuffix(".gz"), inner[0] or b"", inner[1] or b"", since=since, depth=1)
            return replace(found, detail=f"inside the gzip: {found.detail}")
    return _masked(path, one, other, since)


def _masked(path: str, one: bytes, other: bytes, since: int) -> Seen:
    """Return how two contents differ that are no known form."""
    told, times = diff(path, one, other), masks.times(since)
    for how, detail, mask in (
        (How.TIME, "a time is in its content, and nothing else differs", times),
        (How.PATH, "the name of a temporary folder or file is in its content", masks.paths),
        (How.PATH, "names of temporary folders and times are in its content", lambda data: times(masks.paths(data))),
        (How.ORDER, "its content has the same words in another order", _words),
        (How.CONTENT, "a random value is in its content", masks.randoms),
        (How.CONTENT, "random values and times are in its content", lambda data: masks.randoms(times(data))),
    ):
        if mask(one) == mask(other):
            return Seen(how=how, detail=detail, diff=told)
    if masks.packed_times(one, other, since):
        return Seen(how=How.TIME, detail="a time is in its content as a number of four bytes")
    if len(one) != len(other):
        return Seen(how=How.CONTENT, detail=f"content of {len(one)} and {len(other)} bytes", diff=told)
    unequal = [at for at, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]]
    detail = f"content: {len(unequal)} of {len(one)} bytes, the first at {unequal[0]}"
    return Seen(how=How.CONTENT, detail=detail, diff=told)


def _words(data: bytes) -> object:
    """Return a text's words sorted, with its length; of what is no text, the bytes."""
    return (sorted(WORD.findall(data)), len(data)) if is_text(data) else data


def _unpacked(data: bytes) -> bytes | None:
    """Return what a gzip holds; None if that is broken, or too much."""
    unpack = zlib.decompressobj(wbits=31)
    try:
        inner = unpack.decompress(data, MAX_UNPACKED)
    except zlib.error:
        return None
    return inner if unpack.eof else None
