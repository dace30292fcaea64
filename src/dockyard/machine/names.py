"""What a base that was assembled on a machine is called, so that it never passes for the official one."""

from __future__ import annotations

HOST = "dockyard.local"
LABEL = "dev.dockyard.base"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def reference_of(wanted: str) -> str:
    """Return the name under which a base is assembled, for instance dockyard.local/python:3.12-slim-bookworm."""
    return f"{HOST}/{wanted.partition('@')[0].rpartition('/')[2]}"
