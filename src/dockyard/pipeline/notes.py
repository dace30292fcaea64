"""The notes of a release: its section of CHANGELOG.md."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard.errors import SettingsError

if TYPE_CHECKING:
    from dockyard.settings import Settings

NAME = "CHANGELOG.md"


def release_notes(settings: Settings, version: str = "") -> str:
    """Return what the changelog says of a release, without its heading.

    Args:
        settings: Of the project; its version is taken where none is named.
        version: With or without the `v` of a tag.

    Raises:
        SettingsError: There is no changelog, or it says nothing of that release.
    """
    wanted = version.removeprefix("v") or settings.version
    try:
        text = (settings.root / NAME).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{NAME} cannot be read.", str(error), "Write one, with a heading `## [VERSION]`."
        ) from None
    sections = {
        found[1]: found[2].strip()
        for found in re.finditer(r"^## \[?([^\]\s]+)\]?[^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    }
    if not sections.get(wanted):
        there = ", ".join(sections) or "no release"
        raise SettingsError(
            f"{NAME} says nothing of {wanted}.", f"It has {there}.", f"Write its section under `## [{wanted}]`."
        )
    return sections[wanted]
