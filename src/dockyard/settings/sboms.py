"""The table of `invoke sbom`: which licences may be in the image."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from dockyard.settings.fields import Section, Words, refuse_text

Reasons = Annotated[dict[str, Annotated[str, Field(min_length=10)]], BeforeValidator(refuse_text)]


class Sbom(Section):
    """The licence policy of `invoke sbom`; without `allow` and `deny` there is none."""

    allow: Words = Field(
        (), description="Licences that packages may have, as SPDX ids or patterns (`BSD-*`); empty: all but the denied."
    )
    deny: Words = Field((), description="Licences that packages must not have, the same way; wins over `allow`.")
    exceptions: Reasons = Field(
        {},
        description="Package, or a pattern like `deb:lib*`, to the reason for which it may stay.",
    )
