"""Durations as Docker writes them, in HEALTHCHECK and in stacks."""

from __future__ import annotations

import re

UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
AMOUNT = re.compile(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h|d)")


def seconds(duration: str) -> float:
    """Return a duration such as `1m30s` in seconds; what is none is 0."""
    return sum(float(amount) * UNITS[unit] for amount, unit in AMOUNT.findall(duration))
