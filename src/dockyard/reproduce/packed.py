"""In what files of known forms differ: bytecode, gzip, tar and zip."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

from dockyard.image.tar import BLOCK, is_header
from dockyard.reproduce.difference import How, Seen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Member = tuple[str, Mapping[str, Any]]

HEADER = 16
ZIP = b"PK\x03\x04"
MEMBERS = 5000
# Of gzip's header: the time, and how it was compressed by what.
TIME, MADE = slice(4, 8), slice(8, 10)


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")


def bytecode(path: str, one: bytes, other: bytes) -> Seen | None:
    """Return how the headers of two `.pyc` files differ; None where they are none, or their code differs."""
    both = (one, other)
    if not path.endswith(".pyc") or min(map(len, both)) < HEADER or one[:4] != other[:4]:
        return None
    if one[HEADER:] != other[HEADER:]:
        return None
    flags = [_number(each[4:8]) for each in both]
    if flags[0] != flags[1]:
        names = ["a hash of its source" if each & 1 else "the time of its source" for each in flags]
        return Seen(how=How.BYTECODE, detail=f"it holds {names[0]} and {names[1]}")
    if flags[0] & 1:
        return Seen(how=How.BYTECODE, detail="the hash of its source, which differs, though not the code made of it")
    times = [_number(each[8:12]) for each in both]
    sizes = [_number(each[12:16]) for each in both]
    told = [f"time of its source {times[0]} and {times[1]}"] if times[0] != times[1] else []
    told += [f"size of its source {sizes[0]} and {sizes[1]}"] if sizes[0] != sizes[1] else []
    return Seen(how=How.BYTECODE, detail=", ".join(told))


def gzip_header(one: bytes, other: bytes) -> str:
    """Say how two gzip files differ that hold the same."""
    if one[TIME] != other[TIME]:
        return f"time {_number(one[TIME])} and {_number(other[TIME])}; what it holds is equal"
    if one[3] != other[3] or one[MADE] != other[MADE]:
        return "flags, level or system; what it holds is equal"
    return "a name in it, or how it was compressed; what it holds is equal"


def archive(one: bytes, other: bytes) -> Seen | None:
    """Return how two archives differ in their members; None where they are none, or do not."""
    members = [_members(each) for each in (one, other)]
    if None in members:
        return None
    first, second = ([*(each or ())] for each in members)
    names = [[name for name, _ in each] for each in (first, second)]
    if names[0] != names[1]:
        if sorted(names[0]) == sorted(names[1]):
            at = next(number for number, pair in enumerate(zip(*names, strict=True)) if pair[0] != pair[1])
            detail = f"members of the archive: number {at + 1} is {names[0][at]} and {names[1][at]}"
            return Seen(how=How.ORDER, detail=detail, packed=True)
        only = sorted({*names[0]} ^ {*names[1]})
        return Seen(how=How.CONTENT, detail=f"members of the archive: {', '.join(only[:3])} in one alone", packed=True)
    return _fields(first, second)


def _fields(one: Sequence[Member], other: Sequence[Member]) -> Seen | None:
    """Return in what the first unequal members of two archives differ."""
    hows = {"mtime": How.TIME, "mode": How.MODE, "owner": How.OWNER}
    for (name, first), (_, second) in zip(one, other, strict=True):
        for key, value in first.items():
            if value != second[key]:
                told = f" {value} and {second[key]}" if key in hows else ""
                detail = f"{key} of the archive's member {name}{told}"
                return Seen(how=hows.get(key, How.CONTENT), detail=detail, packed=True)
    return None


def _members(data: bytes) -> list[Member] | None:
    """Return the names of an archive's members with what is known of each; None if it is none."""
    try:
        if data.startswith(ZIP):
            with zipfile.ZipFile(io.BytesIO(data)) as opened:
                return [(each.filename, _zipped(each)) for each in opened.infolist()[:MEMBERS]]
        if is_header(data[:BLOCK]):
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
                return [(each.name, _tarred(data, each)) for each in tar.getmembers()[:MEMBERS]]
    except (tarfile.TarError, zipfile.BadZipFile, ValueError, OSError, EOFError, RecursionError):
        pass
    return None


def _zipped(info: zipfile.ZipInfo) -> Mapping[str, Any]:
    moment = "{}-{:02}-{:02}T{:02}:{:02}:{:02}".format(*info.date_time)
    return {"content": (info.CRC, info.file_size), "mode": f"{info.external_attr >> 16:o}", "mtime": moment}


def _tarred(data: bytes, info: tarfile.TarInfo) -> Mapping[str, Any]:
    content = data[info.offset_data : info.offset_data + info.size] if info.isreg() else info.linkname
    owner = f"{info.uid}:{info.gid} {info.uname}:{info.gname}"
    return {"content": content, "mode": f"{info.mode:o}", "owner": owner, "mtime": info.mtime}
