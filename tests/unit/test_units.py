"""Bytes, said to people."""

from __future__ import annotations

import pytest

from dockyard.units import amount, signed


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_940, "999.9 kB"),
        (999_960, "1.0 MB"),
        (41_249_999, "41.2 MB"),
        (3_500_000_000, "3.5 GB"),
        (9_999_000_000_000, "9999.0 GB"),
    ],
)
def test_amount(count, told):
    """A size has one unit and at most one decimal, in powers of ten."""
    assert amount(count) == told


@pytest.mark.parametrize(("count", "told"), [(0, "+0 B"), (41_200_000, "+41.2 MB"), (-1200, "-1.2 kB")])
def test_signed(count, told):
    """A difference has its sign."""
    assert signed(count) == told
