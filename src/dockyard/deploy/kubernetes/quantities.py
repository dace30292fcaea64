"""Amounts, as Kubernetes writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockyard.settings.deploys import Deploy, Overlay

UNITS = {"k": "Ki", "m": "Mi", "g": "Gi"}


def memory(size: str) -> str:
    """Return bytes that Docker writes as 512m, which are 512 MiB."""
    return f"{size[:-1]}{UNITS[size[-1]]}"


def cpus(count: float) -> str:
    """Return CPUs in thousandths, the least Kubernetes knows; whole ones as such."""
    thousandths = max(1, round(count * 1000))
    whole, rest = divmod(thousandths, 1000)
    return f"{thousandths}m" if rest else str(whole)


def resources(said: Deploy | Overlay, *, size: str, count: float) -> dict[str, dict[str, str]]:
    """Return what is reserved and what is allowed: the same, where nothing else is said.

    Args:
        said: What may say else.
        size: Memory limit.
        count: CPU limit.
    """
    return {
        "requests": {"cpu": cpus(said.cpus_request or count), "memory": memory(said.memory_request or size)},
        "limits": {"cpu": cpus(count), "memory": memory(size)},
    }
