"""The chain itself: settings -> plan -> build -> run -> smoke -> audit. Each function wires one command together.

What few commands need and much is imported for, such as the audit, is not here: its task imports its module.
"""

from __future__ import annotations

from dockyard.pipeline.clean import clean, confirmed, kept_volumes
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
