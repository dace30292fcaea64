from __future__ import annotations

import pytest

from dockyard.errors import SettingsError
from dockyard.workflow import read
from support import sentences

TEXT = """
on: push
env: {LEVEL: one, DEEP: workflow}
jobs:
  last:
    needs: [first, middle]
    steps: [{run: echo last}]
  middle:
    needs: first
    if: success()
    steps: []
  first:
    name: The first
    strategy:
      matrix:
        python: ["3.11", 3.9, true]
    env: {DEEP: job, SWITCH: true}
    steps:
      - uses: actions/checkout@0123456789012345678901234567890123456789 # v1
        with: {path: here, fetch-depth: 0}
      - run: |
          echo one
          echo two
        if: always()
        env: {LEVEL: two}
        working-directory: sub
        shell: bash
        continue-on-error: true
      - name: Named
        run: echo three
"""


def test_jobs(workflow):
    """Each job stands after those that it needs, with the variables of the workflow under its own."""
    first, middle, last = workflow(TEXT).jobs

    assert (first.id, first.name, middle.id, middle.name) == ("first", "The first", "middle", "middle")
    assert (last.needs, middle.needs, middle.condition) == (("first", "middle"), ("first",), "success()")
    assert first.matrix == {"python": ("3.11", "3.9", "true")}
    assert first.env == {"LEVEL": "one", "DEEP": "job", "SWITCH": "true"}
    assert last.env == {"LEVEL": "one", "DEEP": "workflow"}


def test_steps(workflow):
    """A step is an action without its commit, or a command with all that is said of it."""
    action, command, named = workflow(TEXT).jobs[0].steps

    assert (action.label, action.action, action.script) == ("actions/checkout", "actions/checkout", "")
    assert action.inputs == {"path": "here", "fetch-depth": "0"}
    assert (command.label, command.script, command.condition) == ("echo one", "echo one\necho two\n", "always()")
    assert (command.env, command.folder, command.shell, command.lenient) == ({"LEVEL": "two"}, "sub", "bash", True)
    assert (named.label, named.script, named.lenient) == ("Named", "echo three", False)


@pytest.mark.parametrize(
    "matrix",
    ["${{ fromJSON(needs.a.outputs.b) }}", "{python: '${{ x }}'}", "{python: ['1'], include: [{python: '2'}]}"],
)
def test_odd_matrix(workflow, matrix):
    """A matrix that is not lists of values is told from one."""
    job = workflow(f"jobs: {{a: {{strategy: {{matrix: {matrix!r}}}, steps: []}}}}").jobs[0]
    assert job.odd == "its matrix is more than lists of values"
    assert job.matrix == {}


@pytest.mark.parametrize("key", ["container", "services"])
def test_odd_job(workflow, key):
    """A job that needs what GitHub's machines start is told from one that does not."""
    job = workflow(f"jobs: {{a: {{{key}: {{image: x}}, steps: []}}}}").jobs[0]
    assert job.odd == f"it has `{key}`, which GitHub starts"


def test_defaults(workflow):
    """Shell and folder hold for each command that says no other: the step's win over the job's, and those over all."""
    text = """
defaults: {run: {shell: bash, working-directory: top}}
jobs:
  a:
    defaults: {run: {working-directory: mid}}
    steps: [{run: one}, {run: two, working-directory: low, shell: sh}]
  b:
    steps: [{run: three}]
"""
    steps = [step for job in workflow(text).jobs for step in job.steps]
    assert [(step.shell, step.folder) for step in steps] == [("bash", "mid"), ("sh", "low"), ("bash", "top")]


def test_called_workflow(workflow):
    """A job that calls another workflow is not passed over in silence."""
    (step,) = workflow("jobs: {a: {uses: ./.github/workflows/other.yml}}").jobs[0].steps
    assert step.action == "./.github/workflows/other.yml"


def test_circle(workflow):
    """Jobs that need each other, or one that is not there, are left as they stand."""
    jobs = workflow("jobs: {a: {needs: b, steps: []}, b: {needs: a, steps: []}, c: {needs: gone, steps: []}}").jobs
    assert [job.id for job in jobs] == ["c", "a", "b"]


@pytest.mark.parametrize("text", ["", "- a", "jobs: []", "jobs: {a: b}", "jobs: {}", "a: [", "\x00"])
def test_no_workflow(workflow, text):
    """What is no workflow is refused with its reason."""
    with pytest.raises(SettingsError) as caught:
        workflow(text)
    assert "ci.yml is no workflow" in sentences(caught.value)[0]


def test_gone(tmp_path):
    """A file that cannot be read is refused with its reason."""
    with pytest.raises(SettingsError) as caught:
        read(tmp_path / "gone.yml")
    assert "No such file" in sentences(caught.value)[1]
