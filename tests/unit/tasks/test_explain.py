"""`invoke explain` as it is typed."""

from __future__ import annotations

import json

import pytest

from dockyard.tasks import collection
from dockyard.tasks.explain import explain
from unit.report.schemas import check


@pytest.fixture
def explained(invoke, on_engine, project):
    """Type `invoke explain …` in a project with a Dockerfile."""
    (project / "Dockerfile").write_text("FROM scratch\nCOPY a.txt /\n")
    (project / "a.txt").write_text("a\n")
    (project / "b.txt").write_text("b\n")
    namespace = collection()
    namespace.add_task(explain, "explain")
    return lambda line="": invoke(f"explain {line}", namespace)


def test_nothing_built(explained):
    """Before the first build the last one cannot be explained: exit 2, and what to do."""
    done = explained()

    assert done.code == 2
    assert "There is no record 0 of a build." in done.err


def test_what_if_without_a_name(explained):
    """--what-if alone says what a build would run now."""
    done = explained("--what-if")

    assert done.code == 0
    assert "what a build would do now" in done.out
    assert "1 of 1 steps would run" in done.out


def test_what_if_of_files(explained):
    """--what-if takes a file, and --more others."""
    done = explained("--what-if a.txt --more b.txt")

    assert done.code == 0
    assert "b.txt is in no step" in done.out


def test_json(explained):
    """--format json is a document and nothing else."""
    done = explained("--what-if a.txt --format json")

    check(json.loads(done.out), "explain")
    assert json.loads(done.out)["steps"][0]["outcome"] == "runs"
    assert done.err == ""


def test_unknown_format(explained):
    """A format that is none is refused before anything is read."""
    assert explained("--format xml").code == 2


def test_timeline_of_nothing(explained, tmp_path):
    """Before the first build there is no timeline: exit 2, and no picture."""
    done = explained(f"--timeline --svg {tmp_path}/a.svg")

    assert done.code == 2
    assert not (tmp_path / "a.svg").exists()
    assert explained("--svg a.png").code == 2
