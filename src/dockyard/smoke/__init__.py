"""container + probes -> results: asks the service what its users and its orchestrator will ask."""

from __future__ import annotations

from dockyard.smoke.golden import Golden, compare, read_golden
from dockyard.smoke.probes import check_lines, probe, require, stop_gracefully
from dockyard.smoke.target import Answer, Result, Target

__all__ = [
    "Answer",
    "Golden",
    "Result",
    "Target",
    "check_lines",
    "compare",
    "probe",
    "read_golden",
    "require",
    "stop_gracefully",
]
