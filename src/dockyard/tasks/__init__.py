"""The Invoke tasks: parse, call, print. A project takes them with `from dockyard.tasks import namespace`.

Nothing heavy is imported here: `invoke --list` must cost no more than it does for an empty tasks.py.
"""

from __future__ import annotations

from invoke.collection import Collection

from dockyard.tasks.container import clean, logs, run, settings, shell, smoke, status, stop, up
from dockyard.tasks.image import build, setup

__all__ = ["namespace"]

namespace = Collection(setup, build, run, up, status, logs, shell, stop, smoke, clean, settings)
