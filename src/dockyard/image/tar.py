"""The headers of a tar, from a stream: ustar, GNU and PAX, without a limit that an archive could pass unseen.

The standard library's reader trusts lengths, calls itself for each extended header, and takes what is cut for an end.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING

from dockyard.image.notes import Fault
from dockyard.image.source import CUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.image.source import Source

BLOCK = 512
ZEROS = bytes(BLOCK)
MAX_EXTENDED = 1 << 20
MAX_DIGITS = 20
# Linux takes no longer path.
MAX_PATH = 4096
USTAR = Struct("100s8s8s8s12s12s8sc100s8s32s32s8s8s155s12x")
CAPABILITY = b"SCHILY.xattr.security.capability"
SPARSE = (b"GNU.sparse.realsize", b"GNU.sparse.size")
LONG_NAME, LONG_LINK, PAX, PAX_GLOBAL, GNU_SPARSE = b"L", b"K", b"x", b"g", b"S"


@dataclass(slots=True)
class Header:
    """One member; `size` is what follows in the archive, `real` what a sparse file has once extracted."""

    name: str
    type: bytes
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    target: str
    device: tuple[int, int]
    capability: bytes = b""
    real: int = -1


def headers(source: Source, *, marked: bool) -> Iterator[Header]:
    """Yield the members; of the data that follows each, the caller takes as much as it likes.

    Args:
        source: The tar.
        marked: Whether it must have an end mark, by which one knows that it is whole.

    Raises:
        Fault: It is no tar, or is cut off.
    """
    extended: dict[bytes, bytes] = {}
    while block := _block(source, marked=marked):
        header = _header(block)
        end = source.position + -(-header.size // BLOCK) * BLOCK
        if header.type in {LONG_NAME, LONG_LINK, PAX}:
            extended |= _extended(header, source)
        elif header.type != PAX_GLOBAL:
            if header.type == GNU_SPARSE:
                header.real = _number(block[483:495])
                end += _skip_sparse_map(block, source)
            if extended:
                end += _apply(extended, header)
                extended = {}
            yield header
        source.skip(end - source.position)


def _block(source: Source, *, marked: bool) -> bytes:
    """Return the next header's block; empty at the end."""
    if not source.need(1):
        if marked:
            raise Fault(CUT)
        return b""
    block = source.take(BLOCK)
    if block != ZEROS:
        return block
    if source.need(1) and source.take(BLOCK) != ZEROS:
        raise Fault("Its end mark is followed by more.")
    return b""


def is_header(block: bytes) -> bool:
    """Whether a block is a tar's header, by its checksum."""
    try:
        return len(block) == BLOCK and _number(block[148:156]) == sum(block) - sum(block[148:156]) + 8 * ord(" ")
    except Fault:
        return False


@lru_cache(4096)
def _number(field: bytes) -> int:
    """Read a number: octal digits, or GNU's 256-based one."""
    if field[0] & 0x80:
        value = int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
        if field[0] & 0x40:
            raise Fault("A number in it is negative.")
        return value
    digits = field.split(b"\0", 1)[0].strip()
    if not digits:
        return 0
    try:
        if digits.isdigit():
            return int(digits, 8)
    except ValueError:
        pass
    raise Fault("A number in it is none.")


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _header(block: bytes) -> Header:
    """Read one block."""
    if not is_header(block):
        raise Fault("A header in it is not one of a tar.")
    name, mode, uid, gid, size, mtime, _, kind, link, magic, _, _, major, minor, prefix = USTAR.unpack(block)
    full = _text(name)
    if magic[:6] == b"ustar\0" and prefix[0]:
        full = f"{_text(prefix)}/{full}"
    if kind == b"\0":
        kind = b"5" if full.endswith("/") else b"0"
    return Header(
        name=full,
        type=kind,
        mode=_number(mode) & 0o7777,
        uid=_number(uid),
        gid=_number(gid),
        # Of all that is not a file, the size says nothing.
        size=0 if kind in b"123456" else _number(size),
        mtime=_time(mtime),
        target=_text(link),
        device=(_number(major), _number(minor)) if kind in b"34" else (0, 0),
    )


def _time(field: bytes) -> int:
    """Read a time; one before 1970 counts as 1970."""
    return 0 if field[0] & 0xC0 == 0xC0 else _number(field)  # noqa: PLR2004


def _extended(header: Header, source: Source) -> dict[bytes, bytes]:
    """Read what the next header is to be told."""
    if header.size > MAX_EXTENDED:
        raise Fault(f"An extended header in it is over {MAX_EXTENDED >> 20} MiB.")
    data = source.take(header.size)
    if header.type == PAX:
        return dict(_records(data))
    return {b"path" if header.type == LONG_NAME else b"linkpath": data.split(b"\0", 1)[0]}


def _records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a PAX header; each stands as `<length> <key>=<value>` on a line."""
    at = 0
    while at < len(data) and data[at]:
        space = data.find(b" ", at, at + MAX_DIGITS)
        length = _decimal(data[at:space]) if space > 0 else 0
        key, equals, value = data[space + 1 : at + length - 1].partition(b"=")
        if not equals or data[at + length - 1 : at + length] != b"\n" or at + length <= space:
            raise Fault("A PAX header in it is broken.")
        yield key, value
        at += length


def _decimal(text: bytes) -> int:
    """Read a whole number; a part of one is cut off."""
    whole = text.split(b".", 1)[0]
    if not whole.isdigit() or len(whole) > MAX_DIGITS:
        raise Fault("A number in a PAX header of it is none.")
    return int(whole)


def _apply(extended: dict[bytes, bytes], header: Header) -> int:
    """Put in what the extended headers say; return by how much the data is longer for it."""
    for key in (b"uid", b"gid", b"mtime"):
        if value := extended.get(key):
            negative = key == b"mtime" and value.startswith(b"-")
            setattr(header, key.decode(), 0 if negative else _decimal(value))
    if path := extended.get(b"GNU.sparse.name") or extended.get(b"path"):
        header.name = path.decode("utf-8", "surrogateescape")
    if link := extended.get(b"linkpath"):
        header.target = link.decode("utf-8", "surrogateescape")
    header.capability = extended.get(CAPABILITY, b"")[:BLOCK]
    before = -(-header.size // BLOCK) * BLOCK
    if (size := extended.get(b"size")) and header.type not in b"123456":
        header.size = _decimal(size)
    for key in SPARSE:
        if value := extended.get(key):
            header.real = _decimal(value)
            break
    return -(-header.size // BLOCK) * BLOCK - before


def _skip_sparse_map(block: bytes, source: Source) -> int:
    """Pass the blocks of GNU's older sparse map, which the size does not count; return how long they are."""
    passed, more = 0, block[482]
    while more:
        more = source.take(BLOCK)[504]
        passed += BLOCK
    return passed


def normal(name: str) -> str | None:
    """Return a member's name as an absolute path; None if it leads out of the image, or nowhere."""
    if len(name) > MAX_PATH or "\0" in name:
        return None
    path = posixpath.normpath(name.lstrip("/") or ".")
    if path == ".":
        return "/"
    return None if path == ".." or path.startswith("../") else f"/{path}"
