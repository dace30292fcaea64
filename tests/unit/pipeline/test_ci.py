from __future__ import annotations

import re

import pytest

from dockyard.errors import SettingsError
from dockyard.pipeline import ci
from dockyard.state import LockedError
from dockyard.workflow import StepFailedError
from support import sentences

WORKFLOW = """
on: push
env: {WORD: top}
jobs:
  build:
    strategy: {matrix: {kind: [one, two]}}
    steps:
      - uses: actions/checkout@0
      - name: Write ${{ matrix.kind }}
        run: echo "$WORD" > ${{ matrix.kind }}; echo "# ${{ matrix.kind }}" >> "$GITHUB_STEP_SUMMARY"
  publish:
    needs: build
    steps:
      - run: cat one two
      - run: test -e broken && exit 9 || true
      - run: curl "${{ secrets.PLACE }}"
"""


@pytest.fixture
def folder(project):
    """The project, with that workflow."""
    place = project / ".github/workflows"
    place.mkdir(parents=True)
    (place / "ci.yml").write_text(WORKFLOW)
    return project


def test_run(opened, folder, capsys):
    """What the workflow says is done, a line for each step; what is GitHub's own is told; the summary is kept."""
    ci.run_ci(opened(), ci.CiOptions())

    out, err = capsys.readouterr()
    lines = [re.sub(r"\s+", " ", line).strip() for line in out.splitlines()]
    assert [line for line in lines if line.startswith(("build", "publish"))] == [
        "build (one)",
        "build (two)",
        "publish",
    ]
    assert any(re.fullmatch(r"pass Write one \d+\.\d s", line) for line in lines)
    assert 'not-run curl "${{ secrets.PLACE }}" GitHub alone knows ${{ secrets.PLACE }}' in lines
    assert lines[-1].startswith("4 pass, 3 not run;")
    assert (folder / "one").read_text() == (folder / "two").read_text() == "top\n"
    assert (folder / ".dockyard/ci/summary.md").read_text() == "# one\n# two\n"
    assert "summary.md" in err
    assert (folder / ".dockyard/ci/publish-1.log").read_text() == "top\ntop\n"
    assert (folder / ".dockyard/ci").stat().st_mode & 0o077 == 0


def test_failure(opened, folder):
    """The first failure ends it with the step's own exit code; what an earlier run kept is gone."""
    ci.run_ci(opened(), ci.CiOptions())
    (folder / "broken").touch()
    with pytest.raises(StepFailedError) as caught:
        ci.run_ci(opened(), ci.CiOptions(jobs=("publish",)))

    assert caught.value.exit_code == 9
    assert not (folder / ".dockyard/ci/build-one-2.log").exists()


def test_one_at_a_time(opened, folder):
    """A second run waits for nothing and touches nothing of the first, whose logs it would remove."""
    ci.run_ci(opened(), ci.CiOptions())
    with opened().state.lock("ci"), pytest.raises(LockedError):
        ci.run_ci(opened(), ci.CiOptions())
    assert (folder / ".dockyard/ci/publish-1.log").exists()


def test_no_workflow(opened, folder):
    """A workflow that is not there is refused, and those that are there are named."""
    with pytest.raises(SettingsError) as caught:
        ci.chosen(opened(), ci.CiOptions(workflow="image.yml"))
    assert sentences(caught.value)[1] == ".github/workflows has ci.yml."


def test_has_python(monkeypatch, tmp_path):
    """A Python counts if it runs: not a shim that only says it is not chosen, but the one of pyenv behind it."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert not ci.has_python("3.98")

    program(tmp_path / "python3.98", "exit 127")
    assert not ci.has_python("3.98")

    program(tmp_path / "pyenv/versions/3.98.1/bin/python3.98", "exit 0")
    assert ci.has_python("3.98")


def program(path, script):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
