"""What a container uses, beside what it may: from one sample of the engine's statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

BILLION = 10**9


@dataclass(frozen=True, kw_only=True)
class Usage:
    """One moment of a container.

    Attributes:
        cpu: Cores in use, for instance 0.42; None without a sample before.
        cpus: That it may use; None is all.
        memory: Bytes that the kernel could not drop at once.
        memory_limit: None is the whole machine's.
        received: Bytes over the network since its start.
        sent: Likewise.
        read: Bytes from disks since its start; None where the kernel does not count them.
        written: Likewise.
        pids: Processes and threads.
        pids_limit: None is no limit.
    """

    cpu: float | None
    cpus: float | None
    memory: int
    memory_limit: int | None
    received: int
    sent: int
    read: int | None
    written: int | None
    pids: int
    pids_limit: int | None


def read_usage(sample: Mapping[str, Any], told: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Usage:
    """Read a sample.

    Args:
        sample: Of the engine's statistics.
        told: The container's inspect answer; it has the limits.
        before: The sample before; without one, that which the engine put into this.
    """
    host, pids = told["HostConfig"], sample.get("pids_stats") or {}
    networks = (sample.get("networks") or {}).values()
    return Usage(
        cpu=_cores(sample["cpu_stats"], before["cpu_stats"] if before else sample.get("precpu_stats") or {}),
        cpus=(host.get("NanoCpus") or 0) / BILLION or None,
        memory=memory_of(sample),
        memory_limit=host.get("Memory") or None,
        received=sum(each["rx_bytes"] for each in networks),
        sent=sum(each["tx_bytes"] for each in networks),
        read=_moved(sample, "read"),
        written=_moved(sample, "write"),
        pids=pids.get("current", 0),
        pids_limit=max(host.get("PidsLimit") or 0, 0) or None,
    )


def memory_of(sample: Mapping[str, Any]) -> int:
    """Return the bytes of memory in use."""
    memory = sample.get("memory_stats") or {}
    # `docker stats` leaves it out too: the kernel could drop it at once.
    counted = memory.get("stats") or {}
    idle = counted.get("total_inactive_file", counted.get("inactive_file", 0))
    return max(int(memory.get("usage", 0) - idle), 0)


def _cores(now: Mapping[str, Any], before: Mapping[str, Any]) -> float | None:
    """Return the cores in use between two samples."""
    if "system_cpu_usage" not in now or "system_cpu_usage" not in before:
        return None
    passed = now["system_cpu_usage"] - before["system_cpu_usage"]
    spent = now["cpu_usage"]["total_usage"] - before["cpu_usage"]["total_usage"]
    return max(spent / passed * now.get("online_cpus", 1), 0.0) if passed > 0 else None


def _moved(sample: Mapping[str, Any], what: str) -> int | None:
    """Return the bytes read or written; None where the kernel gives no count."""
    told = (sample.get("blkio_stats") or {}).get("io_service_bytes_recursive")
    return sum(each["value"] for each in told if each["op"].lower() == what) if told else None
