"""The names that the chain exports."""

from __future__ import annotations

import pytest

from dockyard import pipeline


@pytest.mark.parametrize("name", pipeline.__all__)
def test_exports(name):
    """Each name is had from the module it is at home in, and from one only."""
    homes = [home for home, names in pipeline.HOMES.items() if name in names]
    assert len(homes) == 1
    assert getattr(pipeline, name).__name__ == name


def test_nothing_else():
    """What no module has is no attribute, and the listing is complete."""
    with pytest.raises(AttributeError, match="nothing"):
        pipeline.nothing  # noqa: B018
    assert sorted(dir(pipeline)) == sorted(name for names in pipeline.HOMES.values() for name in names)
