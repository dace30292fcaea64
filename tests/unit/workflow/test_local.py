from __future__ import annotations

import pytest

from dockyard.workflow import legs, prepared

TEXT = """
env: {{LEVEL: top}}
jobs:
  tests:
    if: {condition}
    strategy: {{matrix: {{python: ["3.12"]}}}}
    env: {{PYTHON: "${{{{ matrix.python }}}}"}}
    steps:
      - uses: actions/setup-python@0
        with: {{python-version: "{version}"}}
      - {step}
"""


@pytest.fixture
def ready(workflow):
    """Return what this machine, which has Python 3.12 alone, does of one step; or of its whole job."""

    def written(step="{run: echo}", condition="success()", version="${{ matrix.python }}", has=("3.12",)):
        text = TEXT.format(step=step, condition=condition, version=version)
        (leg,) = legs(workflow(text))
        return list(prepared(leg, has.__contains__))[-1]

    return written


def test_command(ready):
    """A command runs as GitHub runs it, with the variables of all three levels, filled in."""
    step = ready(
        '{run: "echo ${{ matrix.python }} ${{env.LEVEL}} ${{ env.OWN }}", working-directory: sub,'
        ' continue-on-error: true, name: "On ${{ matrix.python }}", env: {OWN: "${{ env.PYTHON }}-x"}}'
    )

    assert step.command == ("bash", "-e", "-c", "echo 3.12 top 3.12-x")
    assert step.env == {"LEVEL": "top", "PYTHON": "3.12", "OWN": "3.12-x"}
    assert (step.label, step.folder, step.lenient, step.reason) == ("On 3.12", "sub", True, "")


def test_shell(ready):
    """Where the shell is said, a pipe fails with any of its parts."""
    assert ready("{run: echo, shell: bash}").command[:-1] == ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
    assert ready("{run: echo, shell: pwsh}").reason == "its shell is pwsh"


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ("{uses: actions/checkout@0}", "this folder is taken as it is"),
        ("{uses: some/action@0}", "an action, which GitHub alone runs"),
        ('{run: "echo ${{ secrets.TOKEN }}"}', "GitHub alone knows ${{ secrets.TOKEN }}"),
        ('{run: echo, env: {A: "${{ github.token }}"}}', "GitHub alone knows ${{ github.token }}"),
        ('{run: echo, working-directory: "${{ github.workspace }}"}', "GitHub alone knows ${{ github.workspace }}"),
        ('{run: "echo ${{ matrix.other }}"}', "GitHub alone knows ${{ matrix.other }}"),
        ("{run: 'echo a=b >> \"$GITHUB_OUTPUT\"'}", "GitHub alone sets $GITHUB_OUTPUT"),
        ("{run: 'cd ${RUNNER_TEMP}'}", "GitHub alone sets $RUNNER_TEMP"),
        ("{run: echo, if: failure()}", "only if failure()"),
        ('{run: echo, if: "${{ cancelled() }}"}', "only if cancelled()"),
        ("{run: echo, if: github.ref == 'x'}", "GitHub alone can decide: if github.ref == 'x'"),
        ("{run: echo, if: always() && github.ref}", "GitHub alone can decide: if always() && github.ref"),
    ],
)
def test_reasons(ready, step, reason):
    """What GitHub alone knows, decides or runs is said, and never guessed."""
    told = ready(step)
    assert (told.reason, told.command) == (reason, ())


@pytest.mark.parametrize("condition", ["always()", "'${{ !cancelled() }}'", "success()", "true"])
def test_conditions_that_hold(ready, condition):
    """What holds as long as nothing has failed is run; so is a command that writes to the job's summary."""
    assert ready(f"{{run: 'echo >> \"$GITHUB_STEP_SUMMARY\"', if: {condition}}}").reason == ""


def test_whole_job(ready):
    """A job that GitHub decides about, or of a Python that this machine has not, is told in one line."""
    assert ready(condition="github.event_name == 'push'").label == "every step"
    assert ready(has=()).reason == "this machine has no Python 3.12"
    assert ready(has=(), version="3.12").reason == ""


def test_odd_matrix(workflow):
    """A matrix that another job makes is not guessed."""
    (leg,) = legs(workflow("jobs: {a: {strategy: {matrix: '${{ x }}'}, steps: [{run: echo}]}}"))
    (only,) = prepared(leg, lambda _: True)
    assert only.reason == "its matrix is more than lists of values"
