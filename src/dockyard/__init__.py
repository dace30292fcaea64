"""Build-automation toolkit for containerised Python services.

Importing it does nothing: each name below is fetched from its module when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

HOMES = {
    "BuildOptions": "dockyard.pipeline",
    "DockyardError": "dockyard.errors",
    "Project": "dockyard.pipeline",
    "Settings": "dockyard.settings",
    "build_image": "dockyard.pipeline",
    "load": "dockyard.settings",
    "open_project": "dockyard.pipeline",
    "smoke_image": "dockyard.pipeline",
    "start_production": "dockyard.pipeline",
}

__all__ = list(HOMES)


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
