from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dockyard.workflow import Local, StepFailedError, perform
from support import sentences


def bash(script: str, **given) -> Local:
    return Local(label=script, command=("bash", "-e", "-c", script), **given)


@pytest.fixture
def run(tmp_path):
    """Run steps in a folder; return what was told of each, and the error if one failed."""
    (tmp_path / "logs").mkdir()

    def ran(*steps: Local, logs=True):
        told = []
        try:
            perform("job (1)", steps, root=tmp_path, logs=tmp_path / "logs" if logs else None, tell=told.append)
        except StepFailedError as error:
            return told, error
        return told, None

    return ran


def test_order(run, tmp_path):
    """Steps run one after the other with their variables, in their folders; what is not run is told in its place."""
    (tmp_path / "sub").mkdir()
    told, error = run(
        bash('echo "$WORD $CI" > one', env={"WORD": "said"}),
        Local(label="action", reason="GitHub's"),
        bash("cp ../one two", folder="sub"),
        bash("true", folder="gone"),
    )

    assert error is None
    assert [each.verdict for each in told] == ["pass", "not-run", "pass", "not-run"]
    assert [told[1].detail, told[3].detail] == ["GitHub's", "there is no folder gone"]
    assert (tmp_path / "sub/two").read_text() == "said true\n"
    assert told[0].detail.endswith(" s")


def test_own_programs_first(run, tmp_path):
    """`python` is the one that dockyard runs on."""
    run(bash("command -v python > where"))
    assert Path((tmp_path / "where").read_text().strip()) == Path(sys.executable).parent / "python"


def test_failure(run, tmp_path):
    """The first failure ends it with its own exit code, and its last lines, harmless."""
    told, error = run(bash("echo early"), bash(r"printf '\e[31mred\e[0m\a\nlast\n'; exit 42"), bash("touch after"))

    assert [each.verdict for each in told] == ["pass", "fail"]
    assert not (tmp_path / "after").exists()
    what, why, todo = sentences(error)
    assert error.exit_code == 42
    assert what.endswith("of job (1) failed.")
    assert why == "It ended with exit code 42; it said at the end:\nred\nlast"
    assert str(tmp_path / "logs/job-1-2.log") in todo
    assert "`invoke ci --job 'job (1)'`" in todo


def test_signal(run):
    """What a signal ended has the exit code that a shell gives it."""
    _, error = run(Local(label="x", command=("bash", "-c", "kill -9 $$")))
    assert error.exit_code == 137


def test_missing_program(run):
    """A shell that is not there is an exit code too."""
    _, error = run(Local(label="x", command=("no-such-shell",)))
    assert error.exit_code == 127


def test_lenient(run):
    """A step whose failure the workflow allows does not end it, and does not count as pass."""
    told, error = run(bash("exit 3", lenient=True), bash("true"))
    assert error is None
    assert [each.verdict for each in told] == ["waived", "pass"]
    assert "exit code 3" in told[0].detail


def test_seen(run, capfd):
    """Where nothing is kept, all see what a step says."""
    _, error = run(bash("echo out; echo err >&2; exit 1"), logs=False)
    said = capfd.readouterr()
    assert (said.out, said.err) == ("out\n", "err\n")
    assert ".log" not in str(error)


def test_no_input(run):
    """A step that asks gets no answer and does not hang."""
    told, _ = run(bash("read answer || echo none"))
    assert told[0].verdict == "pass"


def test_environment_is_ours(run, tmp_path, monkeypatch):
    """A step has our variables under its own."""
    monkeypatch.setenv("OURS", "here")
    run(bash('echo "$OURS" > ours'))
    assert (tmp_path / "ours").read_text() == "here\n"
