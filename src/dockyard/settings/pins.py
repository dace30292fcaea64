"""The table of `invoke pin`: where pins are kept, when they are stale, and what locks are compiled from."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from dockyard.settings.fields import Section, Words, refuse_text

Locks = Annotated[dict[str, Annotated[Words, Field(min_length=1)]], BeforeValidator(refuse_text)]


class Pin(Section):
    """What `invoke pin` keeps of base images and requirements locks."""

    file: str = Field("requirements/bases.toml", description="File of the pins, from the project's root; committed.")
    max_age: int = Field(30, gt=0, description="Days after which a pin is stale.")
    require: bool = Field(False, description="Whether an image that is not as pinned ends a build with exit code 3.")
    end_notice: int = Field(
        180, ge=0, description="Days before the end of a system's or a Python's support from which on it is told."
    )
    cooldown: int = Field(
        7, ge=0, description="Days since its upload before a version enters a lock; 0 takes the newest."
    )
    locks: Locks = Field(
        {},
        description="Lock, from the project's root, to the dependency groups that it is compiled from; `.` is the "
        "project itself.",
    )
