"""What is in a bundle, as its manifest says it: read strictly, since everything else hangs by it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping  # noqa: TC003 - pydantic needs it at run time
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from dockyard.bundle.problem import refused

VERSION = 1
MANIFEST, SEAL = "manifest.json", "manifest.json.sha256"
Kind = Literal["image", "wheel", "toolkit", "lock", "sbom"]
KINDS: dict[Kind, str] = {
    "image": "image",
    "wheel": "wheel",
    "toolkit": "toolkit wheel",
    "lock": "lock",
    "sbom": "SBOM",
}
FOLDERS: dict[Kind, str] = {
    "image": "images/",
    "wheel": "wheels/",
    "toolkit": "toolkit/",
    "lock": "locks/",
    "sbom": "sbom/",
}
# No part is empty or begins with a point, so none leads out of the folder that a bundle is unpacked into.
NAME = re.compile(r"[a-z]+(/[A-Za-z0-9_+@=!~-][A-Za-z0-9_.+@=!~-]*)+")
DIGEST = re.compile(r"[0-9a-f]{64}")
# Pydantic reads what it knows and would drop the rest.
STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file of a bundle.

    Attributes:
        name: Its path in the archive; its folder is that of its kind.
        size: In bytes.
        sha256: Of its bytes, in hex.
    """

    __pydantic_config__ = STRICT

    name: str
    kind: Kind
    size: int
    sha256: str

    @property
    def file(self) -> str:
        """Its name without the folder of its kind."""
        return self.name.removeprefix(FOLDERS[self.kind])


@dataclass(frozen=True, kw_only=True)
class SavedImage:
    """An image from outside that a build uses.

    Attributes:
        reference: Its name.
        ids: What engines call it: by the digest of its manifest, or of its configuration.
        member: The saved image.
        official: False for one that was assembled on some machine.
        digest: What the labels of the built image say of it.
        why: FROM, COPY --from, RUN --mount, or # syntax.
    """

    __pydantic_config__ = STRICT

    reference: str
    ids: tuple[str, ...]
    member: str
    official: bool
    digest: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """One Python of the matrix.

    Attributes:
        base: The reference of its base image.
        images: The references of all images that its build uses.
        environment: The values of its markers, asked in the base itself.
        wheels: Its wheels' members.
        toolkit: The members that make dockyard for this Python; none where it does not run on it.
    """

    __pydantic_config__ = STRICT

    python: str
    base: str
    images: tuple[str, ...]
    environment: Mapping[str, str]
    wheels: tuple[str, ...]
    toolkit: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """All that a bundle says of itself.

    Attributes:
        project: Name of the image.
        commit: Of the sources that it was made for; empty outside git.
        platform: For instance linux/amd64.
        tool: Version of dockyard.
        left_out: Pythons of the matrix that have no base, and why.
        members: In the order in which they are in the archive.
    """

    __pydantic_config__ = STRICT

    project: str
    project_version: str
    commit: str
    platform: str
    tool: str
    pythons: tuple[Matrix, ...]
    images: tuple[SavedImage, ...]
    members: tuple[Member, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    version: Literal[1] = 1

    def of(self, kind: Kind) -> tuple[Member, ...]:
        """Return the members of a kind."""
        return tuple(each for each in self.members if each.kind == kind)

    def python(self, version: str) -> Matrix | None:
        """Return what there is for a Python."""
        return next((each for each in self.pythons if each.python == version), None)

    def image(self, reference: str) -> SavedImage | None:
        """Return an image by its name."""
        return next((each for each in self.images if each.reference == reference), None)

    def written(self) -> bytes:
        """Return it as it is in the archive: the same content gives the same bytes."""
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode() + b"\n"


def read(content: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        EngineError: It is none, or names what no bundle may have.
    """
    try:
        told: Any = json.loads(content)
        if isinstance(told, dict) and told.get("version") != VERSION:
            raise refused(MANIFEST, f"It is of version {told.get('version')!r}, and {VERSION} is read here.")
        manifest = TypeAdapter(Manifest).validate_python(told)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise refused(MANIFEST, f"{'.'.join(map(str, first['loc']))}: {first['msg']}.") from None
    except (ValueError, RecursionError) as error:
        raise refused(MANIFEST, f"It is no JSON: {error}.") from None
    _check(manifest)
    return manifest


def _check(manifest: Manifest) -> None:
    """Refuse names that lead elsewhere or come twice, and what is needed and not there."""
    listed: set[str] = set()
    for member in manifest.members:
        if member.name in listed:
            raise refused(member.name, "The manifest names it twice.")
        _check_member(member)
        listed.add(member.name)
    known = {image.reference: image.member for image in manifest.images}
    wanted = [*known.values(), *(name for each in manifest.pythons for name in (*each.wheels, *each.toolkit))]
    for name in wanted:
        if name not in listed:
            raise refused(name, "The manifest needs it and does not list it.")
    for each in manifest.pythons:
        if unknown := {each.base, *each.images} - known.keys():
            raise refused(MANIFEST, f"It has no image {min(unknown)}, which Python {each.python} needs.")


def _check_member(member: Member) -> None:
    if not NAME.fullmatch(member.name) or not member.name.startswith(FOLDERS[member.kind]):
        raise refused(member.name, "No member of a bundle may be called so.")
    if not DIGEST.fullmatch(member.sha256) or member.size < 0:
        raise refused(member.name, "The manifest has no digest or size of it.")
