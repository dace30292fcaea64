"""The doors to outside tools; each is opened in one file and speaks dockyard's errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockyard.engines.buildx import Buildx
    from dockyard.engines.daemon import Daemon


@dataclass(frozen=True)
class Engine:
    """One Docker engine by its two doors: the command line that acts and the socket that observes."""

    buildx: Buildx
    daemon: Daemon
