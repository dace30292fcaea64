from __future__ import annotations

import pytest

from dockyard.errors import SettingsError
from dockyard.workflow import legs
from support import sentences

TEXT = """
jobs:
  checks: {steps: [{run: echo}]}
  tests:
    strategy: {matrix: {python: ["3.11", "3.12"], system: [one, two]}}
    steps: [{run: echo}]
"""


def test_legs(workflow):
    """A job runs once for each combination of its matrix, under the names that GitHub gives."""
    every = legs(workflow(TEXT))

    assert [leg.name for leg in every] == [
        "checks",
        *("tests (3.11, one)", "tests (3.11, two)", "tests (3.12, one)", "tests (3.12, two)"),
    ]
    assert every[1].values == {"python": "3.11", "system": "one"}


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (["checks"], ["checks"]),
        (["tests (3.12, two)", "checks"], ["checks", "tests (3.12, two)"]),
        (["tests"], ["tests (3.11, one)", "tests (3.11, two)", "tests (3.12, one)", "tests (3.12, two)"]),
    ],
)
def test_wanted(workflow, wanted, names):
    """A job is chosen with all of its legs, or one leg alone; they keep the workflow's order."""
    assert [leg.name for leg in legs(workflow(TEXT), wanted)] == names


def test_unknown(workflow):
    """A job that is not there is refused, with the nearest one that is."""
    with pytest.raises(SettingsError) as caught:
        legs(workflow(TEXT), ["cheks"])
    what, why, todo = sentences(caught.value)
    assert what == "--job cheks is unknown."
    assert "tests (3.11, one)" in why
    assert todo == "Did you mean checks?"
