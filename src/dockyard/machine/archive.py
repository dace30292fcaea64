"""Layers, and an image as an archive for `docker load`: the same content gives the same bytes, and so the same id."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

# 2020-01-01. Any fixed day serves; nothing in a layer is younger.
EPOCH = 1577836800
# Level 6 takes four times as long for a tenth less.
COMPRESSION = 2
OCI = "application/vnd.oci.image"


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A compressed layer on the disk; `diff_id` is the digest of what is in it, `digest` that of the file."""

    path: Path
    digest: str
    diff_id: str
    history: str


class Digesting(io.RawIOBase):
    """Passes on what is written to it, and digests it."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._hash = hashlib.sha256()

    def writable(self) -> bool:
        """Say yes."""
        return True

    def write(self, data: Any) -> int:
        """Write and digest."""
        self._hash.update(data)
        return self._target.write(data)

    @property
    def digest(self) -> str:
        """Of all that was written."""
        return f"sha256:{self._hash.hexdigest()}"


class LayerWriter:
    """A layer that is being written: root owns everything that is added as new, and nothing has a time of today."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive

    def copy(self, entry: tarfile.TarInfo, content: IO[bytes] | None) -> None:
        """Add an entry of another tar with its owner and rights."""
        entry.mtime = min(int(entry.mtime), EPOCH)
        entry.uname = entry.gname = ""
        entry.pax_headers = {key: value for key, value in entry.pax_headers.items() if "xattr" in key}
        self._archive.addfile(entry, content)

    def folder(self, name: str) -> None:
        """Add a folder."""
        self._add(name, tarfile.DIRTYPE, 0o755)

    def link(self, name: str, target: str) -> None:
        """Add a symbolic link."""
        self._add(name, tarfile.SYMTYPE, 0o777, target=target)

    def file(self, name: str, content: bytes, *, executable: bool = False) -> None:
        """Add a file."""
        self._add(name, tarfile.REGTYPE, 0o755 if executable else 0o644, content=content)

    def _add(self, name: str, kind: bytes, mode: int, *, target: str = "", content: bytes = b"") -> None:
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode, entry.linkname, entry.mtime = kind, mode, target, EPOCH
        entry.size = len(content)
        self._archive.addfile(entry, io.BytesIO(content))


class Blob:
    """A layer's two digests; known once it is written."""

    layer: Layer


@contextmanager
def write_layer(path: Path, history: str) -> Iterator[tuple[LayerWriter, Blob]]:
    """Write a layer; the blob has its digests after the block."""
    blob = Blob()
    with path.open("wb") as file:
        outside = Digesting(file)
        with gzip.GzipFile(filename="", mode="wb", fileobj=outside, compresslevel=COMPRESSION, mtime=0) as compressed:
            inside = Digesting(compressed)  # type: ignore[arg-type]
            with tarfile.open(fileobj=inside, mode="w|", format=tarfile.PAX_FORMAT) as archive:
                yield LayerWriter(archive), blob
    blob.layer = Layer(path=path, digest=outside.digest, diff_id=inside.digest, history=history)


def write_image(
    path: Path, reference: str, layers: Sequence[Layer], config: Mapping[str, Any], *, architecture: str, created: str
) -> None:
    """Write an image: an OCI layout that also has the manifest of older `docker load`s.

    Args:
        path: Where to.
        reference: The name that it is loaded under.
        layers: From the lowest.
        config: As of an image configuration: Env, Cmd, Labels.
        architecture: In OCI's words, for instance amd64.
        created: RFC 3339.
    """
    configuration = {
        "architecture": architecture,
        "os": "linux",
        "created": created,
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [{"created": created, "created_by": layer.history} for layer in layers],
    }
    blobs = {_digest(content := _json(configuration)): content}
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": _descriptor(f"{OCI}.config.v1+json", content),
        "layers": [
            {
                "mediaType": f"{OCI}.layer.v1.tar+gzip",
                "digest": layer.digest,
                "size": layer.path.stat().st_size,
            }
            for layer in layers
        ],
    }
    blobs[_digest(_json(manifest))] = _json(manifest)
    named = {
        **_descriptor(f"{OCI}.manifest.v1+json", _json(manifest)),
        "annotations": {
            "io.containerd.image.name": reference,
            "org.opencontainers.image.ref.name": reference.rpartition(":")[2],
        },
    }
    index = {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": [named]}
    older = {
        "Config": _blob_name(_digest(content)),
        "RepoTags": [reference],
        "Layers": [_blob_name(layer.digest) for layer in layers],
    }
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        writer = LayerWriter(archive)
        writer.file("oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        for digest, blob in blobs.items():
            writer.file(_blob_name(digest), blob)
        for layer in layers:
            writer.file(_blob_name(layer.digest), layer.path.read_bytes())
        writer.file("index.json", _json(index))
        writer.file("manifest.json", _json([older]))


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _blob_name(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")


def _descriptor(kind: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": _digest(content), "size": len(content)}
