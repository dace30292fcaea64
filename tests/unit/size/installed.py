"""Distributions as installers leave them in a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from images import file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from images import Member

SITE = "venv/lib/python3.12/site-packages"


def installed(
    name: str, version: str, files: Mapping[str, bytes], *, site: str = SITE, metadata: str | None = None
) -> list[Member]:
    """Return the members of a distribution: its files, METADATA, and the RECORD that names them all.

    Args:
        name: As METADATA has it; the folder has underscores.
        version: Of it.
        files: By their paths from the folder of distributions.
        site: That folder.
        metadata: In place of a proper one.
    """
    folder = f"{name.replace('-', '_')}-{version}.dist-info"
    told = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n\nName: of another\n"
    whole = {**files, f"{folder}/METADATA": (told if metadata is None else metadata).encode()}
    rows = [f"{path},sha256=x,{len(data)}" for path, data in whole.items()] + [f"{folder}/RECORD,,"]
    whole[f"{folder}/RECORD"] = "\r\n".join([*rows, ""]).encode()
    return [file(f"{site}/{path}", data) for path, data in whole.items()]


def cost(members: list[Member]) -> int:
    """Return the bytes of members."""
    return sum(len(each.data) for each in members)
