"""Synthetic images: layers from a few words each, saved in every layout that engines write."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import zstandard

from dockyard.image import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dockyard.image import Image

OCI = "application/vnd.oci.image"
REFERENCE = "tiny:1"


@dataclass(frozen=True, kw_only=True)
class Member:
    """One entry of a tar, before it is written."""

    name: str
    type: bytes = tarfile.REGTYPE
    data: bytes = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = 1_600_000_000
    target: str = ""
    device: tuple[int, int] = (0, 0)
    pax: Mapping[str, str] = field(default_factory=dict)


def file(name: str, data: bytes = b"", **changed: Any) -> Member:
    """Return a file."""
    return Member(name=name, data=data, **changed)


def folder(name: str, **changed: Any) -> Member:
    """Return a folder."""
    return Member(**({"name": name, "type": tarfile.DIRTYPE, "mode": 0o755} | changed))


def symlink(name: str, target: str) -> Member:
    """Return a symbolic link."""
    return Member(name=name, type=tarfile.SYMTYPE, target=target, mode=0o777)


def hardlink(name: str, target: str) -> Member:
    """Return a hard link."""
    return Member(name=name, type=tarfile.LNKTYPE, target=target)


def whiteout(path: str) -> Member:
    """Return the removal of a path of the layers below."""
    above, slash, base = path.rpartition("/")
    return Member(name=f"{above}{slash}.wh.{base}")


def opaque(path: str) -> Member:
    """Return the removal of all that the layers below have in a folder."""
    return Member(name=f"{path}/.wh..wh..opq")


def tar(*members: Member, form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a tar of the members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form, errors="surrogateescape") as archive:
        for each in members:
            entry = tarfile.TarInfo(each.name)
            entry.type, entry.mode, entry.uid, entry.gid = each.type, each.mode, each.uid, each.gid
            entry.mtime, entry.linkname, entry.size = each.mtime, each.target, len(each.data)
            entry.devmajor, entry.devminor = each.device
            entry.pax_headers = dict(each.pax)
            archive.addfile(entry, io.BytesIO(each.data))
    return buffer.getvalue()


COMPRESSIONS = {
    "gzip": lambda data: gzip.compress(data, 1, mtime=0),
    "zstd": zstandard.ZstdCompressor().compress,
    "none": bytes,
}


def digest(data: bytes) -> str:
    """Return a digest as images write it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def encoded(value: Any) -> bytes:
    """Return JSON."""
    return json.dumps(value).encode()


@dataclass(kw_only=True)
class Saved:
    """An image on its way into an archive; change it before it is written.

    Attributes:
        layers: Tars, from the lowest.
        config: What `docker inspect` calls Config.
        history: As the configuration has it; default: a step for each layer.
    """

    layers: Sequence[bytes] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    history: Sequence[Mapping[str, Any]] | None = None
    compression: str = "gzip"
    reference: str = REFERENCE
    statements: Sequence[Mapping[str, Any]] = ()
    architecture: str = "amd64"

    def configuration(self) -> bytes:
        """Return the configuration's bytes."""
        steps = [{"created_by": f"RUN step {number}"} for number, _ in enumerate(self.layers)]
        return encoded(
            {
                "architecture": self.architecture,
                "os": "linux",
                "config": self.config,
                "rootfs": {"type": "layers", "diff_ids": [digest(each) for each in self.layers]},
                "history": steps if self.history is None else self.history,
            }
        )

    def blobs(self) -> list[bytes]:
        """Return the layers as they are sent."""
        return [COMPRESSIONS[self.compression](each) for each in self.layers]

    def manifest(self) -> bytes:
        """Return the OCI manifest."""
        return manifest(self.configuration(), self.blobs(), f"{OCI}.layer.v1.tar+gzip")

    def oci(self, *, older: bool = True) -> dict[str, bytes]:
        """Return the files of an OCI layout, in the order in which the engine sends them.

        Args:
            older: With manifest.json, as `docker save` has it.
        """
        contents = [*self.blobs(), self.configuration(), self.manifest()]
        descriptors = [
            {
                **descriptor(self.manifest(), f"{OCI}.manifest.v1+json"),
                "platform": {"architecture": self.architecture, "os": "linux"},
                "annotations": {"io.containerd.image.name": f"docker.io/library/{self.reference}"},
            }
        ]
        if self.statements:
            statements = [encoded(each) for each in self.statements]
            attesting = manifest(b"{}", statements, "application/vnd.in-toto+json")
            contents += [b"{}", *statements, attesting]
            notes = {
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": digest(self.manifest()),
            }
            descriptors.append(
                {
                    **descriptor(attesting, f"{OCI}.manifest.v1+json"),
                    "platform": {"architecture": "unknown", "os": "unknown"},
                    "annotations": notes,
                }
            )
        listed = {
            "Config": blob_name(self.configuration()),
            "RepoTags": [self.reference],
            "Layers": [blob_name(each) for each in self.blobs()],
        }
        return {
            **{blob_name(each): each for each in contents},
            "index.json": index(descriptors),
            **({"manifest.json": encoded([listed])} if older else {}),
            "oci-layout": encoded({"imageLayoutVersion": "1.0.0"}),
        }

    def attested(self) -> tuple[dict[str, bytes], str]:
        """Return the files of an OCI layout as BuildKit attests: an index in the index; and the digest of that one."""
        files = self.oci(older=False)
        own, attesting = json.loads(files["index.json"])["manifests"]
        inner = index([{name: own[name] for name in ("mediaType", "digest", "size", "platform")}, attesting])
        named = {**descriptor(inner, f"{OCI}.index.v1+json"), "annotations": own["annotations"]}
        return {**files, blob_name(inner): inner, "index.json": index([named])}, digest(inner)

    def classic(self) -> list[Member]:
        """Return the members of an archive as Docker wrote it before version 25, equal layers once."""
        members, names, seen = [], [], {}
        for number, layer in enumerate(self.layers):
            name = f"{number:064}/layer.tar"
            names.append(name)
            members += [
                folder(f"{number:064}/"),
                file(f"{number:064}/VERSION", b"1.0"),
                file(f"{number:064}/json", b"{}"),
            ]
            members.append(symlink(name, f"../{seen[layer]}") if layer in seen else file(name, layer))
            seen.setdefault(layer, name)
        config = f"{digest(self.configuration()).removeprefix('sha256:')}.json"
        listed = {"Config": config, "RepoTags": [self.reference], "Layers": names}
        return [
            *members,
            file(config, self.configuration()),
            file("manifest.json", encoded([listed])),
            file("repositories", encoded({"tiny": {"1": f"{len(self.layers) - 1:064}"}})),
        ]


def manifest(config: bytes, layers: Sequence[bytes], kind: str) -> bytes:
    """Return a manifest of blobs."""
    return encoded(
        {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": descriptor(config, f"{OCI}.config.v1+json"),
            "layers": [descriptor(each, kind) for each in layers],
        }
    )


def index(descriptors: Sequence[Mapping[str, Any]]) -> bytes:
    """Return an index of descriptors."""
    return encoded({"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": list(descriptors)})


def descriptor(content: bytes, kind: str) -> dict[str, Any]:
    """Return what names a blob."""
    return {"mediaType": kind, "digest": digest(content), "size": len(content)}


def blob_name(content: bytes) -> str:
    """Return a blob's path."""
    return "blobs/" + digest(content).replace(":", "/")


def archive(files: Mapping[str, bytes]) -> bytes:
    """Return a tar of files."""
    return tar(*(file(name, data) for name, data in files.items()))


def saved(*layers: Sequence[Member], **changed: Any) -> bytes:
    """Return an image as `docker save` writes it today, of layers given by their members."""
    return archive(Saved(layers=[tar(*each) for each in layers], **changed).oci())


def streamed(data: bytes, size: int = 1 << 16) -> Iterator[bytes]:
    """Yield bytes in pieces."""
    return (data[at : at + size] for at in range(0, len(data), size))


def image_of(*layers: Sequence[Member], keep: Any = None, patterns: Any = (), **changed: Any) -> Image:
    """Return the image of layers given by their members, read back.

    Args:
        layers: From the lowest.
        keep: Which files' bytes are kept; default: all.
        patterns: What is looked for.
        changed: Of `Saved`.
    """
    return read(streamed(saved(*layers, **changed)), keep=keep or (lambda *_: True), patterns=patterns)
