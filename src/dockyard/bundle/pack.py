"""Staged files -> one archive, written whole or not at all."""

from __future__ import annotations

import filecmp
import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.bundle.manifest import FOLDERS, MANIFEST, SEAL, Member
from dockyard.bundle.read import verify
from dockyard.errors import EngineError
from dockyard.image.source import chunks_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.bundle.manifest import Kind, Manifest


@contextmanager
def staging(target: Path) -> Iterator[Path]:
    """Yield a hidden folder beside the target, on the same disk; it goes on every path.

    Raises:
        EngineError: That folder cannot be written, or its disk is full.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.absolute().parent) as folder:
            yield Path(folder)
    except OSError as error:
        raise EngineError(
            f"{target} cannot be written.", str(error), "Make that folder writable for you, or free some space."
        ) from error


def staged(folder: Path) -> tuple[Member, ...]:
    """Return the members that lie in a staging folder, below the folders of their kinds, in their order."""
    return tuple(
        _member(folder, kind, path)
        for kind, place in FOLDERS.items()
        for path in sorted((folder / place).rglob("*"))
        if path.is_file()
    )


def _member(folder: Path, kind: Kind, path: Path) -> Member:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks_of(path):
        digest.update(chunk)
        size += len(chunk)
    return Member(name=path.relative_to(folder).as_posix(), kind=kind, size=size, sha256=digest.hexdigest())


def write(folder: Path, manifest: Manifest, target: Path) -> str:
    """Write the archive in the staging folder, verify it, and give it its name; return the digest of its manifest.

    Each staged file is removed once it is in the archive, so that no disk has to hold all of it twice.
    """
    content = manifest.written()
    seal = hashlib.sha256(content).hexdigest()
    half = folder / "archive"
    with half.open("xb") as stream:
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name, told in ((MANIFEST, content), (SEAL, f"{seal}  {MANIFEST}\n".encode())):
                archive.addfile(_header(name, len(told)), io.BytesIO(told))
            for member in manifest.members:
                with (folder / member.name).open("rb") as file:
                    archive.addfile(_header(member.name, member.size), file)
                (folder / member.name).unlink()
        stream.flush()
        os.fsync(stream.fileno())
    verify(half)
    half.replace(target)
    return seal


def _header(name: str, size: int) -> tarfile.TarInfo:
    """Return the header of a member: nobody's, without a time."""
    header = tarfile.TarInfo(name)
    header.size, header.mode = size, 0o644
    return header


def put(source: Path, target: Path) -> None:
    """Move a file into the staging folder; two of one name must be the same, as a wheel of two Pythons is.

    Raises:
        EngineError: They differ.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.move(source, target)
    elif not filecmp.cmp(source, target, shallow=False):
        raise EngineError(
            f"Two files are called {target.name} and differ.",
            "The package index gave one to one Python, and another to the next.",
            "Look at what that index does, then run `invoke bundle` again.",
        )
