"""Workload -> a Swarm stack, and what brings it up, watches it, and tells why it was taken back."""

from dockyard.deploy.swarm.stack import STACK, files, remarks

__all__ = ["STACK", "files", "remarks"]
