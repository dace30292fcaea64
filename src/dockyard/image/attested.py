"""What an index says of its image, read from a saved one without a look at its layers."""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dockyard.image.choose import ATTESTATION, KIND, REFERS, STATEMENT
from dockyard.image.documents import items, mapping, text
from dockyard.image.notes import unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LARGEST = 8 << 20
BLOBS = "blobs/sha256/"


@dataclass(frozen=True, kw_only=True)
class Attested:
    """An image, of each platform, and the statements about it.

    Attributes:
        images: Digests of the manifests of its platforms, which are the same whatever is attested of them.
        statements: In-toto statements, as the index has them of these, in the same order.
    """

    images: tuple[str, ...]
    statements: tuple[Mapping[str, Any], ...] = field(repr=False)


class _Chunks:
    """A stream of bytes as a file that can be read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int) -> bytes:
        while len(self._rest) < size and (chunk := next(self._chunks, b"")):
            self._rest += chunk
        found, self._rest = self._rest[:size], self._rest[size:]
        return found


def attested(saved: Iterator[bytes], index: str, platforms: int = 1) -> Attested:
    """Return what the index with a digest holds: an image of each platform, and what is attested of it.

    Args:
        saved: An archive, as the engine sends it.
        index: Its digest.
        platforms: How many were built.

    Raises:
        EngineError: The archive is broken, or has no such index of so many images.
    """
    documents = _documents(saved)
    manifests = [mapping(each) for each in items(_need(documents, index).get("manifests"))]
    own = [text(each.get("digest")) for each in manifests if mapping(each.get("annotations")).get(KIND) != ATTESTATION]
    if len(own) != platforms:
        raise unreadable(index, f"It names {len(own)} images, where {platforms} should be.")
    refers = [(mapping(each.get("annotations")).get(REFERS), text(each.get("digest"))) for each in manifests]
    about = [digest for image in own for named, digest in refers if named == image]
    layers = (mapping(layer) for each in about for layer in items(_need(documents, each).get("layers")))
    told = tuple(_need(documents, text(each.get("digest"))) for each in layers if each.get("mediaType") == STATEMENT)
    return Attested(images=tuple(own), statements=told)


def _documents(saved: Iterator[bytes]) -> dict[str, bytes]:
    """Return the small blobs that look like JSON, by their digest."""
    found = {}
    try:
        with tarfile.open(fileobj=_Chunks(saved), mode="r|") as archive:  # type: ignore[call-overload]
            for member in archive:
                if member.isfile() and member.name.startswith(BLOBS) and member.size <= LARGEST:
                    content = archive.extractfile(member)
                    data = content.read() if content else b""
                    if data.startswith(b"{"):
                        found[f"sha256:{member.name.removeprefix(BLOBS)}"] = data
    except (tarfile.TarError, EOFError) as error:
        raise unreadable("the archive", str(error)) from None
    return found


def _need(documents: Mapping[str, bytes], digest: str) -> dict[str, Any]:
    """Return the JSON of a blob whose bytes have that digest."""
    data = documents.get(digest, b"")
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
        raise unreadable(digest, "The archive lacks it, or has other bytes under its name.")
    try:
        return mapping(json.loads(data))
    except ValueError as error:
        raise unreadable(digest, f"It is no JSON: {error}.") from None
