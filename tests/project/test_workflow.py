"""The workflows call what a laptop calls, on the versions of pyproject.toml, with actions that cannot change."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from dockyard import workflow
from dockyard.settings import keys
from dockyard.settings.sources import PREFIX, SWITCHES

from . import render_workflows
from .test_docs import refusal

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
CI = WORKFLOW.read_text("utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

ASK_NOX = """
import json, runpy, nox
runpy.run_path("noxfile.py")
sessions = {name: list(session.python or ()) for name, session in nox.registry.get().items()}
print(json.dumps({"sessions": sessions, "default": nox.options.sessions}))
"""


def job(name: str) -> workflow.Job:
    """One job of ci.yml."""
    return next(each for each in workflow.read(WORKFLOW).jobs if each.id == name)


def matrix(name: str) -> list[str]:
    """The Pythons of a job's matrix."""
    return list(job(name).matrix["python"])


def jobs_of(path: Path) -> str:
    """The text of a workflow's jobs."""
    return path.read_text("utf-8").partition("\njobs:\n")[2]


def commands(path: Path, program: str) -> list[list[str]]:
    """The calls of a program in a workflow, as words; what a shell does with the output is left out."""
    scripts = [step.script for each in workflow.read(path).jobs for step in each.steps]
    parts = [part for script in scripts for line in script.splitlines() for part in re.split(r"&&|\|\||[|;>]+", line)]
    return [shlex.split(part) for part in parts if re.match(rf" *{program} ", part)]


@pytest.fixture(scope="module")
def noxfile() -> dict[str, Any]:
    """Every session of the noxfile with its Pythons, if it has any; and those that a plain `nox` runs."""
    done = subprocess.run([sys.executable, "-c", ASK_NOX], cwd=ROOT, capture_output=True, check=True)
    return json.loads(done.stdout)


def test_smoke_matrix():
    """CI builds the image for the Pythons of [tool.dockyard], each and no other."""
    assert matrix("smoke") == PYPROJECT["tool"]["dockyard"]["pythons"]


def test_tests_matrix():
    """CI tests the Pythons that the distribution says it supports, each and no other."""
    prefix = "Programming Language :: Python :: "
    classifiers = [each.removeprefix(prefix) for each in PYPROJECT["project"]["classifiers"] if each.startswith(prefix)]
    assert matrix("tests") == classifiers


def test_matrices_are_rendered():
    """The matrices stand as `python tests/project/render_workflows.py` writes them."""
    assert render_workflows.rendered(CI) == CI


def test_sessions_exist(noxfile):
    """CI calls the sessions that a plain `nox` runs and the long one, each and no other, on a Python that has one."""
    called = {name for words in commands(WORKFLOW, "nox") for name in words[2:]}
    assert {name.removesuffix("-$PYTHON") for name in called} == {*noxfile["default"], "operations"}
    assert {"tests-$PYTHON", "smoke-$PYTHON"} <= called
    assert {f"smoke-{python}" for python in matrix("smoke")} <= set(noxfile["sessions"])
    assert set(noxfile["sessions"]["tests"]) <= set(matrix("tests"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_session_exists(path, noxfile):
    """Whatever session a workflow calls is in the noxfile."""
    called = {name for words in commands(path, "nox") for name in words[2:]}
    known = {*noxfile["sessions"], "tests-$PYTHON", "smoke-$PYTHON", *(f"tests-{each}" for each in matrix("tests"))}
    assert called <= known


@pytest.mark.parametrize(
    ("name", "line"),
    [
        pytest.param(path.name, shlex.join(words), id=f"{path.name}-{at}")
        for path in WORKFLOWS
        for at, words in enumerate(commands(path, "invoke"))
    ],
)
def test_commands_can_be_typed(name, line):
    """Each `invoke …` of a workflow names a task and flags that exist, in a form that Invoke takes."""
    assert refusal(shlex.split(line)) == ""


def test_commands_are_found():
    """The test above has something to look at: the tasks that the workflows are made of."""
    called = {words[1] for path in WORKFLOWS for words in commands(path, "invoke")}
    assert {"setup", "build", "size", "sbom", "notes", "push", "pin"} <= called


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_variables_exist(path):
    """Each DOCKYARD_ variable of a workflow is a setting, or a switch of the tests."""
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]+", path.read_text("utf-8")))
    assert named <= {PREFIX + key.replace(".", "_").upper() for key in keys()} | SWITCHES


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_forks_get_no_secret(path):
    """What a pull request starts has no secret to lose; nothing runs with the rights of main on code of a stranger."""
    text = path.read_text("utf-8")
    assert "pull_request_target" not in text
    assert "workflow_run" not in text
    assert not ("pull_request:" in text and re.search(r"\bsecrets\b", text))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_one_at_a_time(path):
    """A workflow says what becomes of its runs that overlap."""
    assert re.search(r"^concurrency:\n  group: ", path.read_text("utf-8"), flags=re.MULTILINE)


def test_written_rights():
    """Who may write, and what: no job but these has a right to more than read."""
    found = {
        (path.stem, name, right)
        for path in WORKFLOWS
        for name, text in re.findall(r"^  (\w+):\n(.*?)(?=^  \w+:|\Z)", jobs_of(path), re.MULTILINE | re.DOTALL)
        for right in re.findall(r"^      ([\w-]+): write$", text, re.MULTILINE)
    }
    assert found == {
        ("ci", "audit", "security-events"),
        ("codeql", "analyze", "security-events"),
        ("image", "image", "packages"),
        ("image", "image", "id-token"),
        ("image", "image", "attestations"),
        ("image", "notes", "contents"),
        ("refresh", "propose", "contents"),
        ("refresh", "propose", "pull-requests"),
    }


@pytest.mark.parametrize(("path", "name"), [("refresh.yml", "propose"), ("image.yml", "notes")])
def test_who_writes_runs_nothing_of_ours(path, name):
    """The jobs that may write to the repository run no code of the project, nor of what was just taken in."""
    (writing,) = (each for each in workflow.read(ROOT / ".github/workflows" / path).jobs if each.id == name)
    scripts = "\n".join(step.script for step in writing.steps)
    assert scripts.strip()
    assert not re.search(r"\b(invoke|nox|pip|python|docker)\b", scripts)


def test_ci_runs_here():
    """Whatever command ci.yml runs, `invoke ci` runs too, but for the two that speak of GitHub's cache."""
    legs = workflow.legs(workflow.read(WORKFLOW))
    left = {step.label: step.reason for leg in legs for step in workflow.prepared(leg, lambda _: True) if step.reason}
    scripts = {step.label for each in workflow.read(WORKFLOW).jobs for step in each.steps if step.script}
    assert len(legs) > 5
    told = {label for label in left if label in scripts or label == "every step"}
    assert told == {"Name the cache mounts by the locks", "Keep the cache mounts"}


def test_lint_checks_every_workflow():
    """`nox -s lint` holds each workflow against GitHub's schema, and against zizmor's rules."""
    noxfile = (ROOT / "noxfile.py").read_text("utf-8")
    assert "--builtin-schema=vendor.github-workflows" in noxfile
    assert '"zizmor", "--offline"' in noxfile


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned(path):
    """Each action is named by a full commit, with its tag beside it for people."""
    used = re.findall(r"^\s*(?:- )?uses: *(.*)$", path.read_text("utf-8"), flags=re.MULTILINE)
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*", each)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_least_rights(path):
    """A workflow has no rights but those that a job asks for, leaves no token behind, and always ends."""
    text = path.read_text("utf-8")
    assert re.search(r"^permissions: \{\}$", text, flags=re.MULTILINE)
    assert text.count("persist-credentials: false") == text.count("uses: actions/checkout@")
    assert text.count("timeout-minutes:") == text.count("runs-on:") > 0


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_pipes_fail(path):
    """A step with a pipe names bash, which GitHub then runs with `pipefail`: else only its last command could fail."""
    steps = [step for each in yaml.safe_load(path.read_text("utf-8"))["jobs"].values() for step in each["steps"]]
    piped = [each for each in steps if re.search(r"[^|]\|[^|]", each.get("run", ""))]
    assert [each["run"] for each in piped if each.get("shell") != "bash"] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_installs_are_locked(path):
    """What a workflow installs is named by a lock's hashes, or is this project without anything besides."""
    installs = commands(path, "(python -m )?pip install")
    assert bool(installs) is ("invoke" in jobs_of(path))
    held = ({"--require-hashes"}, {"--no-deps", "--no-build-isolation"})
    assert [words for words in installs if not any(each <= set(words) for each in held)] == []


def test_nothing_may_be_skipped():
    """CI fails where an engine or a base image is missing, instead of skipping."""
    for switch in ("DOCKYARD_REQUIRE_ENGINE", "DOCKYARD_REQUIRE_ALL"):
        assert re.search(rf'^  {switch}: "1"$', CI, flags=re.MULTILINE)
