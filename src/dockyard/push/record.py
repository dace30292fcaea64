"""What a push did, as it is kept in .dockyard/pushes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockyard.push.send import Pushed


@dataclass(frozen=True, kw_only=True)
class Record:
    """One push.

    Attributes:
        image: As it is called here.
        digest: That it has in the registry, whichever tag.
        signature: In words; empty if none was wanted.
    """

    image: str
    repository: str
    digest: str
    tags: tuple[Pushed, ...]
    signature: str
    started: str
    seconds: float
