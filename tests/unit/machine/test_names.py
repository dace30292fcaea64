from __future__ import annotations

import pytest

from dockyard.machine.names import reference_of
from support import BASE

NAME = "dockyard.local/python:3.12-slim-bookworm"


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (BASE, NAME),
        (f"registry.example:5000/hub/{BASE}", NAME),
        (f"{BASE}@sha256:abc", NAME),
    ],
)
def test_reference(wanted, name):
    """An assembled base has a name below dockyard.local, whatever registry was wanted."""
    assert reference_of(wanted) == name
