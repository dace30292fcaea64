"""What refresh.yml proposes: its own commands, on a repository that has a remote; `gh` alone is not the real one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dockyard import workflow

WORKFLOW = Path(__file__).parents[2] / ".github" / "workflows" / "refresh.yml"
GH = """#!/bin/sh
echo "$@" >> "$CALLS"
case "$1" in pr) echo 0 ;; esac
"""


def script(job, label):
    """The commands of a step."""
    (found,) = (each for each in workflow.read(WORKFLOW).jobs if each.id == job)
    return next(step.script for step in found.steps if step.label == label)


@pytest.fixture
def git(tmp_path):
    """Run a command in a clone of a repository that has one lock."""
    place = tmp_path / "clone"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text(GH)
    (tmp_path / "bin" / "gh").chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "CALLS": str(tmp_path / "calls"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        **{f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }

    def run(command):
        done = subprocess.run(
            ["bash", "-e", "-c", command], check=False, cwd=place, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    place.mkdir()
    (place / "requirements").mkdir()
    (place / "requirements" / "service.txt").write_text("alpha==1\n")
    (place / ".gitignore").write_text("reports\n")
    (place / "reports").mkdir()
    run("git init -q --bare ../origin.git && git init -q -b main . && git add . && git commit -qm one")
    run("git remote add origin ../origin.git && git push -q origin main")
    return run


def test_first_pins_are_proposed(git, tmp_path):
    """A file of pins that git does not know yet is proposed, as a changed lock is; nothing else is."""
    changed = "echo 'alpha==2' > requirements/service.txt; echo pins > requirements/bases.toml; echo x > other.txt"
    git(changed)
    git(script("look", "Write down what moved"))
    git("git reset -q --hard && rm -f requirements/bases.toml other.txt && echo moved > reports/packages.md")
    git(script("propose", "Propose what moved"))

    assert git("git diff --name-only main origin/refresh").split() == [
        "requirements/bases.toml",
        "requirements/service.txt",
    ]
    assert "pr create --head refresh" in (tmp_path / "calls").read_text()


def test_nothing_moved(git, tmp_path):
    """Where nothing moved nothing is proposed, and the summary says so."""
    git(script("look", "Write down what moved"))
    git(script("propose", "Propose what moved"))
    assert (tmp_path / "summary").read_text() == "Nothing moved.\n"
    assert not (tmp_path / "calls").exists()
