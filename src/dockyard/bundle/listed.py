"""The wheels of a bundle -> a bill of materials."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard.bundle.problem import refused
from dockyard.sbom.bill import Bill
from dockyard.sbom.distributions import described
from dockyard.sbom.metadata import Headers

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dockyard.bundle.manifest import Member
    from dockyard.sbom.bill import Component


def bill_of_wheels(folder: Path, members: Iterable[Member], *, name: str, version: str, platform: str) -> Bill:
    """Return what some wheels are, each with its own digest.

    Args:
        folder: That they are staged in.
        members: The wheels.
        name: Of the project.
        version: Of it.
        platform: That they are for.

    Raises:
        EngineError: One is no wheel.
    """
    wheels = sorted(members, key=lambda each: each.file)
    digest = hashlib.sha256("".join(each.sha256 for each in wheels).encode()).hexdigest()
    return Bill(
        name=f"{name}-wheels",
        version=version,
        digest=f"sha256:{digest}",
        created="",
        architecture=platform.rpartition("/")[2],
        licences=(),
        components=tuple(_component(folder, each) for each in wheels),
        image=False,
    )


def _component(folder: Path, member: Member) -> Component:
    stem = "-".join(member.file.split("-")[:2])
    try:
        with zipfile.ZipFile(folder / member.name) as archive:
            content = archive.read(f"{stem}.dist-info/METADATA")
    except (zipfile.BadZipFile, KeyError) as error:
        raise refused(member.name, f"It is no wheel: {error}.") from None
    return replace(described(Headers(content), stem, member.name), sha256=member.sha256)
