"""The table of `invoke bundle`: what an offline build needs of wheels, and whether a bundle must be signed."""

from __future__ import annotations

from pydantic import Field

from dockyard.settings.fields import Section, Words


class Bundle(Section):
    """What `invoke bundle` takes along, and whose bundle is used."""

    locks: Words = Field(
        (),
        description="Locks whose wheels a bundle has, from the project's root; empty: every hashed `*.txt` that the "
        "build context admits.",
    )
    verify: bool = Field(
        False, description="Whether only a bundle is used whose signature is what [tool.dockyard.sign] wants."
    )
