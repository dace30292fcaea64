"""Bytes, said to people: in powers of ten, as `docker images` has them."""

from __future__ import annotations

STEP = 1000
UNITS = ("kB", "MB", "GB")
# Of sizes in settings, as docker takes them.
BINARY = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def amount(count: int) -> str:
    """Return bytes as, for instance, `41.2 MB`."""
    if abs(count) < STEP:
        return f"{count} B"
    size = float(count)
    for unit in UNITS:
        size /= STEP
        # What would be rounded to 1000.0 is 1.0 of the next.
        if abs(size) < STEP - 0.05 or unit == UNITS[-1]:
            break
    return f"{size:.1f} {unit}"


def signed(count: int) -> str:
    """Return a difference in bytes as, for instance, `+41.2 MB` or `-1.2 kB`."""
    return f"{'-' if count < 0 else '+'}{amount(abs(count))}"


def limit(told: str) -> int:
    """Return a size of the settings, for instance `512m`, in bytes."""
    return int(told[:-1]) * BINARY[told[-1]]
