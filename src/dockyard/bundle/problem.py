"""The error of a bundle that cannot be trusted."""

from __future__ import annotations

from dockyard.errors import EngineError
from dockyard.image.notes import shown


def refused(member: str, why: str) -> EngineError:
    """Return the error that names the bad member."""
    return EngineError(
        f"The bundle is refused: {shown(member)}.",
        why,
        "Nothing of it was used. Copy it again, or make it again with `invoke bundle`.",
    )
