"""A reverse proxy in front of the service: it has the port, so that one container takes over from another unnoticed."""

from __future__ import annotations

from dockyard.gateway.image import LABEL, image_for
from dockyard.gateway.process import Process
from dockyard.gateway.traffic import Gateway, behind

__all__ = ["LABEL", "Gateway", "Process", "behind", "image_for"]
