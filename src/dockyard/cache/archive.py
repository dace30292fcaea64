"""The archive of cache mounts: tars under one compression, with a list that tells whether all of it is there."""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import tarfile
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import IO, TYPE_CHECKING, Any, cast

import zstandard

from dockyard.cache.mounts import identity
from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from dockyard.cache.mounts import LeftOut

VERSION = 1
LIST = "dockyard-mounts.json"
LIST_MOST = 1 << 20
LEVEL = 3
CHUNK = 1 << 20
# Compressed bytes that are unpacked at once; they may become very many.
PIECE = 1 << 14


@dataclass(frozen=True, kw_only=True)
class Packed:
    """One mount in an archive.

    Attributes:
        id: As BuildKit finds it.
        owner: `uid`, `gid` and `mode`, as far as they were given.
        size: Of its files, in bytes.
        length: Of its tar.
        sha256: Of its tar.
        left_out: Bytes that were there and had no room.
        begins: The image whose files it begins with, by digest; empty is nobody's.
        source: The folder of that image.
    """

    id: str
    owner: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    length: int = 0
    sha256: str = ""
    left_out: int = 0
    begins: str = ""
    source: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """What BuildKit knows the mount by."""
        return identity(self.id, self.owner, self.begins, self.source)


@dataclass(frozen=True, kw_only=True)
class Archive:
    """What an archive says of itself.

    Attributes:
        key: What decided its contents, as `invoke cache --key` printed it.
    """

    key: str
    mounts: tuple[Packed, ...]


@dataclass(frozen=True, kw_only=True)
class Carried:
    """What was carried.

    Attributes:
        path: Of the archive.
        size: Its length in bytes; 0 if none was written, since there was nothing in any mount.
        key: What decided the contents: of the archive.
        mounts: What is in it.
        unknown: Of an import: ids of mounts that the Dockerfile does not have, so that they were left out.
        current: Of an import: whether the archive is of the locks that are here now.
        refused: Of an export: mounts that cannot be carried.
    """

    path: Path
    key: str
    mounts: tuple[Packed, ...]
    size: int = 0
    unknown: tuple[str, ...] = ()
    current: bool = True
    refused: tuple[LeftOut, ...] = ()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write(path: Path, archive: Archive, tars: Sequence[Path]) -> None:
    """Write an archive whole or not at all.

    Raises:
        EngineError: The file cannot be written.
    """
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    listed = json.dumps({"version": VERSION, **asdict(archive)}).encode()
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True, threads=-1)
    try:
        with half.open("xb") as raw:
            with compressor.stream_writer(raw, closefd=False) as packed, tarfile.open(fileobj=packed, mode="w|") as out:
                entry = tarfile.TarInfo(LIST)
                entry.size = len(listed)
                out.addfile(entry, io.BytesIO(listed))
                for number, each in enumerate(tars):
                    entry = tarfile.TarInfo(f"{number}.tar")
                    entry.size = each.stat().st_size
                    with each.open("rb") as stream:
                        out.addfile(entry, stream)
            raw.flush()
            os.fsync(raw.fileno())
        half.replace(path)
    except OSError as error:
        raise EngineError(f"{path} cannot be written.", str(error), "Name a file in a folder of yours.") from None
    finally:
        with suppress(OSError):
            half.unlink()


def read(path: Path, folder: Path) -> Archive:
    """Unpack an archive into a folder, the tars named by their numbers.

    Raises:
        EngineError: It cannot be read, or something is wrong with it; then nothing of it may be used.
    """
    try:
        with path.open("rb") as raw, _opened(raw) as archive:
            return _unpacked(archive, folder)
    except FileNotFoundError:
        raise EngineError(
            f"There is no archive {path}.", "No file has that name.", "Make one with `invoke cache --export FILE`."
        ) from None
    except OSError as error:
        raise EngineError(f"{path} cannot be read.", str(error), "Make it a file that you can read.") from None
    except (zstandard.ZstdError, tarfile.TarError, EOFError, KeyError, TypeError, ValueError) as error:
        raise EngineError(
            f"{path} is damaged, and nothing of it was used.",
            str(error) or type(error).__name__,
            "Remove it; the next `invoke cache --export FILE` makes a new one.",
        ) from None


class _Plain:
    """What a compressed file holds, to its end: one that ends within its frame, or whose checksum is wrong, is refused.

    Args:
        raw: The file.
    """

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._ready = bytearray()

    def read(self, size: int) -> bytes:
        """Return the next bytes; fewer only at the end."""
        while len(self._ready) < size and not self._frame.eof:
            piece = self._raw.read(PIECE)
            if not piece:
                raise ValueError("it ends too early")
            self._ready += self._frame.decompress(piece)
        found = bytes(self._ready[:size])
        del self._ready[:size]
        return found


@contextmanager
def _opened(raw: IO[bytes]) -> Iterator[tarfile.TarFile]:
    plain = _Plain(raw)
    # It asks for nothing but `read`.
    with tarfile.open(fileobj=cast("IO[bytes]", plain), mode="r|") as archive:
        yield archive
    # The checksum stands at the end.
    while plain.read(CHUNK):
        pass


def _unpacked(archive: tarfile.TarFile, folder: Path) -> Archive:
    first = archive.next()
    if first is None or first.name != LIST or first.size > LIST_MOST:
        raise ValueError("it is no archive of cache mounts")
    told: dict[str, Any] = json.loads(_content(archive, first).read())
    if told.get("version") != VERSION:
        raise ValueError(f"it is of version {told.get('version')}, and {VERSION} is known here")
    listed = Archive(key=str(told["key"]), mounts=tuple(Packed(**each) for each in told["mounts"]))
    for number, each in enumerate(listed.mounts):
        member = archive.next()
        if member is None or member.name != f"{number}.tar" or member.size != each.length:
            raise ValueError(f"the contents of the mount {each.id} are not there")
        if _copied(_content(archive, member), folder / member.name) != each.sha256:
            raise ValueError(f"the contents of the mount {each.id} are not those that were packed")
    return listed


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(member)
    if content is None:
        raise ValueError(f"{member.name} is no file")
    return content


def _copied(source: IO[bytes], target: Path) -> str:
    """Copy a stream and return its SHA-256."""
    found = hashlib.sha256()
    with target.open("wb") as stream:
        while chunk := source.read(CHUNK):
            found.update(chunk)
            stream.write(chunk)
    return found.hexdigest()
