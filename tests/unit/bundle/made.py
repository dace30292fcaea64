"""A small bundle, whole or spoilt: two wheels of two Pythons, a lock, and a base that is no image."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

from dockyard import bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BASE = "python:3.12-slim-bookworm"
OTHER = "python:3.13-slim-bookworm"
ALPHA, BETA = "wheels/alpha-1.0-py3-none-any.whl", "wheels/beta_x-2.0-cp312-cp312-linux_x86_64.whl"
WHEELS = {ALPHA: b"alpha" * 1000, BETA: b"beta" * 1000}
ENVIRONMENT = {"python_version": "3.12", "python_full_version": "3.12.1", "sys_platform": "linux", "extra": ""}
LOCK = "lock.txt"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def pin(name: str, version: str, *contents: bytes, marker: str = "") -> str:
    """A requirement of a lock, with the hashes of its files."""
    hashes = "".join(f" \\\n    --hash=sha256:{digest(each)}" for each in contents)
    return f"{name}=={version}{f' ; {marker}' if marker else ''}{hashes}\n"


TEXT = pin("alpha", "1.0", WHEELS[ALPHA]) + pin("beta-x", "2.0", WHEELS[BETA], marker="python_version < '3.13'")
FILES = {
    "images/base.tar": b"no image",
    "images/other.tar": b"no other image",
    **WHEELS,
    "toolkit/dockyard-0.1.0-py3-none-any.whl": b"dockyard",
    f"locks/{LOCK}": TEXT.encode(),
    "sbom/wheels.cdx.json": b"{}",
}


def image(reference: str, member: str) -> bundle.SavedImage:
    """An image of the bundle; its id is the digest of its file."""
    told = digest(FILES[member])
    return bundle.SavedImage(
        reference=reference, ids=(f"sha256:{told}",), member=member, official=True, digest="sha256:registry", why="FROM"
    )


def manifest(members: tuple[bundle.Member, ...], **changed: Any) -> bundle.Manifest:
    """Its manifest."""
    whole = {
        "project": "tiny-service",
        "project_version": "1.2.3",
        "commit": "c0ffee",
        "platform": "linux/amd64",
        "tool": "0.1.0",
        "pythons": (
            bundle.Matrix(
                python="3.12",
                base=BASE,
                images=(BASE,),
                environment=ENVIRONMENT,
                wheels=(ALPHA, BETA),
                toolkit=("toolkit/dockyard-0.1.0-py3-none-any.whl",),
            ),
            bundle.Matrix(
                python="3.13",
                base=OTHER,
                images=(OTHER,),
                environment={**ENVIRONMENT, "python_version": "3.13", "python_full_version": "3.13.1"},
                wheels=(ALPHA,),
            ),
        ),
        "images": (image(BASE, "images/base.tar"), image(OTHER, "images/other.tar")),
        "members": members,
        "left_out": {"3.14": "There is no base image for Python 3.14."},
    }
    return bundle.Manifest(**{**whole, **changed})


def stage(folder: Path) -> Path:
    """Stage the files of the bundle."""
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def write(target: Path) -> str:
    """Write the bundle, and return the digest of its manifest."""
    with bundle.staging(target) as folder:
        stage(folder)
        return bundle.write(folder, manifest(bundle.staged(folder)), target)


Members = list[tuple[tarfile.TarInfo, bytes]]


def spoil(path: Path, change: Callable[[Members], Members | None]) -> None:
    """Pack a bundle again, with its members changed; the rest of it is as it was written."""
    with tarfile.open(path) as archive:
        members = [(each, archive.extractfile(each).read()) for each in archive]
    members = change(members) or members
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for header, content in members:
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))


def resealed(members: Members, change: Callable[[Any], None]) -> Members:
    """Change what the manifest says, as somebody would who can also reckon its digest anew."""
    document = json.loads(members[0][1])
    change(document)
    content = json.dumps(document).encode()
    told = f"{digest(content)}  manifest.json\n".encode()
    return [(members[0][0], content), (members[1][0], told), *members[2:]]


def named(members: Members, name: str) -> int:
    """The place of a member."""
    return next(at for at, (header, _) in enumerate(members) if header.name == name)


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    """A header."""
    header = tarfile.TarInfo(name)
    header.type, header.linkname = kind, target
    return header
