"""This repository's Invoke tasks: dockyard's own, as any service takes them."""

from dockyard.tasks import namespace

__all__ = ["namespace"]
