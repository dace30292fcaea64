"""The table of `invoke bundle`: what an offline build needs of wheels."""

from __future__ import annotations

from pydantic import Field

from dockyard.settings.fields import Section, Words


class Bundle(Section):
    """What `invoke bundle` takes along."""

    locks: Words = Field(
        (),
        description="Locks whose wheels a bundle has, from the project's root; empty: every hashed `*.txt` that the "
        "build context admits.",
    )
