"""An archive -> its manifest, every byte verified; what is unpacked was verified as it was written."""

from __future__ import annotations

import hashlib
from contextlib import closing, nullcontext
from dataclasses import dataclass
from tarfile import RECORDSIZE
from typing import TYPE_CHECKING

from dockyard.bundle import manifest as manifests
from dockyard.bundle.manifest import MANIFEST, SEAL
from dockyard.bundle.problem import refused
from dockyard.errors import SettingsError
from dockyard.image.notes import Fault
from dockyard.image.source import CUT, Source, ahead, chunks_of
from dockyard.image.tar import headers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dockyard.bundle.manifest import Manifest, Member
    from dockyard.image.tar import Header

MOST_MANIFEST = 16 << 20
REGULAR = {b"0"}
KINDS = {b"1": "a hard link", b"2": "a symbolic link", b"3": "a device", b"4": "a device", b"5": "a folder"}


@dataclass(frozen=True, kw_only=True)
class Verified:
    """A bundle of which every byte is what its manifest says.

    Attributes:
        digest: Of the manifest, in hex: who knows it from the maker knows the whole bundle.
    """

    path: Path
    digest: str
    manifest: Manifest


def verify(path: Path, into: Callable[[Member], Path | None] = lambda _: None) -> Verified:
    """Read a whole bundle in one pass.

    Args:
        path: The archive.
        into: Where a member is unpacked to; None is nowhere. What was written is of use only if this returns.

    Raises:
        EngineError: It is cut off, or a member is missing, changed, or has no business there; it is named.
        SettingsError: There is no such file.
    """
    if not path.is_file():
        raise SettingsError(f"There is no bundle {path}.", "It is not a file.", "Name what `invoke bundle` wrote.")
    with closing(ahead(chunks_of(path))) as chunks:
        source = Source(chunks)
        reading = _Reading(source)
        try:
            return reading.verified(path, into)
        except Fault as fault:
            raise refused(reading.at or path.name, str(fault)) from None


class _Reading:
    """One pass over an archive; `at` is the member that is read, or that comes next."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._headers = headers(source, marked=True)
        self._passed: set[str] = set()
        self.at = ""

    def verified(self, path: Path, into: Callable[[Member], Path | None]) -> Verified:
        content = b"".join(self._data(self._next(MANIFEST, most=MOST_MANIFEST)))
        digest = hashlib.sha256(content).hexdigest()
        seal = b"".join(self._data(self._next(SEAL, most=1 << 10)))
        if seal != f"{digest}  {MANIFEST}\n".encode():
            raise refused(MANIFEST, f"Its digest is {digest[:12]}…, and {SEAL} says another.")
        manifest = manifests.read(content)
        left = {member.name for member in manifest.members}
        for member in manifest.members:
            left.remove(member.name)
            self._member(member, left, into(member))
            self._passed.add(member.name)
        self.at = "its end"
        for header in self._headers:
            raise refused(header.name, self._stranger(header))
        while self._source.need(1):
            if any(self._source.take(1)):
                raise refused(self.at, "More follows the end of the archive.")
        if self._source.position % RECORDSIZE:
            raise refused(self.at, CUT)
        return Verified(path=path, digest=digest, manifest=manifest)

    def _next(self, wanted: str, *, most: int) -> Header:
        """Return the header of the first two members, which are known by their names."""
        self.at = wanted
        header = next(self._headers, None)
        if header is None or header.name != wanted:
            raise refused(wanted, "It is not where a bundle has it: this is none, or it was packed again.")
        if header.type not in REGULAR or header.size > most:
            raise refused(wanted, "It is no file of a size that a bundle has.")
        return header

    def _member(self, member: Member, left: set[str], target: Path | None) -> None:
        """Verify the next member, and unpack it if it has a place to go to.

        Args:
            member: As the manifest says.
            left: The names of those that come after it.
            target: That place.
        """
        self.at = member.name
        header = next(self._headers, None)
        if header is None or header.name in left:
            raise refused(member.name, "It is missing.")
        if header.name != member.name or header.type not in REGULAR:
            raise refused(header.name, self._stranger(header))
        if header.size != member.size:
            raise refused(member.name, f"It has {header.size} bytes, the manifest says {member.size}.")
        digest = hashlib.sha256()
        if target:
            target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") if target else nullcontext() as file:
            for piece in self._data(header):
                digest.update(piece)
                if file:
                    file.write(piece)
        if digest.hexdigest() != member.sha256:
            told = f"Its digest is {digest.hexdigest()[:12]}…, the manifest says {member.sha256[:12]}…."
            raise refused(member.name, told)

    def _data(self, header: Header) -> Iterator[memoryview]:
        for buffer, start, end in self._source.pieces(header.size, whole=1):
            yield memoryview(buffer)[start:end]

    def _stranger(self, header: Header) -> str:
        """Say what is wrong with a member that should not be there."""
        if header.type not in REGULAR:
            return f"It is {KINDS.get(header.type, 'no file')}, and a bundle has files alone."
        return "It is there twice." if header.name in self._passed else "The manifest does not name it."
