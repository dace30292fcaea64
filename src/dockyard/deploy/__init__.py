"""Settings and an image -> files for an orchestrator; and what brings them there.

A `Workload` is what is deployed, wherever to. Each target renders it and is brought up in a module of its own.
"""

from dockyard.deploy.health import Health
from dockyard.deploy.targets import TARGETS, Target
from dockyard.deploy.workload import Workload, workload_of

__all__ = ["TARGETS", "Health", "Target", "Workload", "workload_of"]
