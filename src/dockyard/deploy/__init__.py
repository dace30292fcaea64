"""Settings and an image -> files for an orchestrator; and what brings them there.

A `Release` is what is deployed, wherever to. Each target renders it and is brought up in a module of its own.
"""

from dockyard.deploy.health import Health
from dockyard.deploy.release import Release, release_of
from dockyard.deploy.targets import TARGETS, Target

__all__ = ["TARGETS", "Health", "Release", "Target", "release_of"]
