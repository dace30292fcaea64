"""The chain itself: settings -> plan -> build -> run -> smoke -> audit. Each function wires one command together.

A name is imported when it is first asked for: `invoke build` does not wait for what only a replacement needs. What few
commands need and much is imported for, such as the audit, is not here: its task imports its module.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dockyard.pipeline.cleaning import clean, confirmed, kept_volumes
    from dockyard.pipeline.container import asker, keep_key, own, start_development, stop
    from dockyard.pipeline.image import build_arguments, build_image
    from dockyard.pipeline.project import Project, open_project, wanted
    from dockyard.pipeline.release import releases, rollback, start_production
    from dockyard.pipeline.rotate import finish_rotation, overlap, rotate_key
    from dockyard.pipeline.trial import first_prediction, smoke_image, smoke_running, target_of
    from dockyard.plan import BuildOptions

__all__ = [
    "BuildOptions",
    "Project",
    "asker",
    "build_arguments",
    "build_image",
    "clean",
    "confirmed",
    "finish_rotation",
    "first_prediction",
    "keep_key",
    "kept_volumes",
    "open_project",
    "overlap",
    "own",
    "releases",
    "rollback",
    "rotate_key",
    "smoke_image",
    "smoke_running",
    "start_development",
    "start_production",
    "stop",
    "target_of",
    "wanted",
]

HOMES = {
    "dockyard.pipeline.cleaning": ("clean", "confirmed", "kept_volumes"),
    "dockyard.pipeline.container": ("asker", "keep_key", "own", "start_development", "stop"),
    "dockyard.pipeline.image": ("build_arguments", "build_image"),
    "dockyard.pipeline.project": ("Project", "open_project", "wanted"),
    "dockyard.pipeline.release": ("releases", "rollback", "start_production"),
    "dockyard.pipeline.rotate": ("finish_rotation", "overlap", "rotate_key"),
    "dockyard.pipeline.trial": ("first_prediction", "smoke_image", "smoke_running", "target_of"),
    "dockyard.plan": ("BuildOptions",),
}

if not TYPE_CHECKING:
    # Type checkers know the names from above, and tell one that is none of them.
    def __getattr__(name: str) -> Any:
        for home, names in HOMES.items():
            if name in names:
                return getattr(import_module(home), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
