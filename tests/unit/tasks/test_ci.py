"""`invoke ci` and `invoke notes` as they are typed: what they print, how they end."""

from __future__ import annotations

import pytest
from invoke.collection import Collection

from dockyard.tasks.ci import ci, notes

WORKFLOW = """
jobs:
  checks:
    steps:
      - uses: some/action@0
      - run: echo well
  tests:
    steps:
      - run: exit 7
"""


@pytest.fixture
def typed(invoke, project):
    """Type a command where there is a small workflow and a changelog."""
    folder = project / ".github/workflows"
    folder.mkdir(parents=True)
    (folder / "ci.yml").write_text(WORKFLOW)
    (project / "CHANGELOG.md").write_text("## [1.2.3]\n\n- **bold**\n")
    return lambda line: invoke(line, Collection(ci, notes))


def test_ci(typed):
    """A job that passes ends with 0, and only what it says of its steps is printed."""
    done = typed("ci --job checks")
    assert done.code == 0
    assert "echo well" in done.out
    assert "\nwell" not in done.out


def test_failure(typed):
    """A step's exit code is that of the command."""
    done = typed("ci")
    assert done.code == 7
    assert "error: `exit 7` of tests failed." in done.err


def test_list(typed, project):
    """The list runs nothing, and says what would not run and why."""
    done = typed("ci --list")
    assert done.code == 0
    assert "an action, which GitHub alone runs" in done.out
    assert "exit 7" in done.out
    assert not (project / ".dockyard").exists()


@pytest.mark.parametrize("line", ["ci --job nothing", "ci --workflow nothing.yml", "notes --version 9"])
def test_refused(typed, line):
    """What is not there is refused with exit code 2."""
    assert typed(line).code == 2


def test_notes(typed):
    """The notes are printed as they are written."""
    done = typed("notes --version v1.2.3")
    assert (done.code, done.out) == (0, "- **bold**\n")
