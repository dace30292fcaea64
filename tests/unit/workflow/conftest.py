from __future__ import annotations

import pytest

from dockyard.workflow import read


@pytest.fixture
def workflow(tmp_path):
    """Return the workflow of a text."""

    def written(text: str):
        path = tmp_path / "ci.yml"
        path.write_text(text)
        return read(path)

    return written
