from __future__ import annotations

import pytest

from dockyard.size import Base, measure
from images import image_of


@pytest.fixture
def measured():
    """Measure the image of some layers; `base` is how many of them are the base's."""

    def measured(*layers, base: int = 0, lines=None, **changed):
        below = Base(reference="base:1", layers=base) if base else None
        return measure(image_of(*layers, **changed), base=below, dockerfile="Dockerfile" if lines else "", lines=lines)

    return measured
