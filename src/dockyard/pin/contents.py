"""What a pin says of a base: its system, its Python, its packages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard import sbom

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dockyard.image import Image

# os-release names Debian's release alone, this file its point release too.
POINT_RELEASE = "/etc/debian_version"


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a base has.

    Attributes:
        system: For instance `debian 12.12`.
        python: For instance `3.12.12`; empty where none was found.
        packages: A line each, for instance `deb libc6 2.36-9`.
        problems: What could not be read, a sentence each.
    """

    system: str
    python: str
    packages: tuple[str, ...]
    problems: tuple[str, ...] = ()


def keeps(path: str, size: int, _: object = None) -> bool:
    """Whether a file's bytes are needed here, for what `dockyard.image.read` takes as `keep`."""
    return path == POINT_RELEASE or sbom.keeps(path, size, ())


def contents(image: Image) -> Contents:
    """Return what a base has, of an image that was read with `keeps`."""
    bill = sbom.bill(image)
    system = next(iter(bill.of("system")), None)
    pythons = sorted({each.version for each in bill.of("python")})
    return Contents(
        system=f"{system.name} {_point_release(image) or system.version}".strip() if system else "",
        python=", ".join(pythons),
        packages=tuple(
            sorted(" ".join((each.kind, each.name, each.version)) for each in bill.of("deb", "apk", "pypi"))
        ),
        problems=bill.problems,
    )


def _point_release(image: Image) -> str:
    """Return Debian's number; that of a release to come is a word, and of no help."""
    told = (image.read(POINT_RELEASE) or b"").decode("utf-8", "replace").strip()
    return told if re.fullmatch(r"\d+(\.\d+)?", told) else ""


def listed(packages: Iterable[str]) -> frozenset[sbom.Listed]:
    """Return the lines of a pin so that they can be compared."""
    return frozenset(sbom.Listed(*[*line.split(" ", 2), "", ""][:3]) for line in packages)
