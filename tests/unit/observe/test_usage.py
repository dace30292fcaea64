from __future__ import annotations

import json

import pytest

from dockyard.observe.usage import read_usage
from support import recorded

TOLD = json.loads(recorded("engine/container-pricing.json"))
SAMPLE = json.loads(recorded("engine/stats.json"))


def test_recorded():
    """A sample of a real engine: cores between its two counts, memory without what could be dropped, and limits."""
    used = read_usage(SAMPLE, TOLD)

    assert used.cpu == pytest.approx(0.0414, abs=1e-4)
    assert (used.cpus, used.memory, used.memory_limit) == (1.0, 20860928 - 49152, 256 * 2**20)
    assert (used.pids, used.pids_limit) == (0, 128)


def test_two_samples():
    """Between two samples of our own the engine's older one does not count."""
    later = {**SAMPLE, "cpu_stats": {**SAMPLE["cpu_stats"]}}
    later["cpu_stats"]["cpu_usage"] = {"total_usage": SAMPLE["cpu_stats"]["cpu_usage"]["total_usage"] + 5 * 10**8}
    later["cpu_stats"]["system_cpu_usage"] = SAMPLE["cpu_stats"]["system_cpu_usage"] + 2 * 10**9

    assert read_usage(later, TOLD, SAMPLE).cpu == pytest.approx(0.5)


def test_stopped():
    """A container that ended between two questions uses nothing that could be said."""
    told = {"HostConfig": {}}
    used = read_usage({"cpu_stats": {"cpu_usage": {"total_usage": 0}}, "memory_stats": {}}, told)

    assert (used.cpu, used.memory, used.memory_limit, used.cpus, used.pids_limit) == (None, 0, None, None, None)
    assert (used.read, used.received) == (None, 0)


def test_moved():
    """Bytes are added up over networks and disks."""
    sample = {
        **SAMPLE,
        "networks": {"eth0": {"rx_bytes": 1, "tx_bytes": 2}, "eth1": {"rx_bytes": 10, "tx_bytes": 20}},
        "blkio_stats": {
            "io_service_bytes_recursive": [
                {"op": "Read", "value": 3},
                {"op": "read", "value": 4},
                {"op": "write", "value": 5},
                {"op": "Total", "value": 9},
            ]
        },
    }
    used = read_usage(sample, TOLD)

    assert (used.received, used.sent, used.read, used.written) == (11, 22, 7, 5)
