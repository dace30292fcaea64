from __future__ import annotations

import pytest

from dockyard.dockerfile.duration import seconds


@pytest.mark.parametrize(
    ("text", "told"), [("30s", 30), ("1m30s", 90), ("500ms", 0.5), ("1.5h", 5400), ("", 0), ("soon", 0)]
)
def test_seconds(text, told):
    """A duration is read with each of its units; what is none is nothing."""
    assert seconds(text) == told
