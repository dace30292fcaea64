"""CI calls what a laptop calls, on the versions that pyproject.toml names, with actions that cannot change."""

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

from dockyard.tasks import namespace

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CI = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

ASK_NOX = """
import json, runpy, nox
runpy.run_path("noxfile.py")
sessions = {name: list(session.python or ()) for name, session in nox.registry.get().items()}
print(json.dumps({"sessions": sessions, "default": nox.options.sessions}))
"""


def job(name: str) -> str:
    """The text of one job of ci.yml."""
    found = re.search(rf"^  {name}:\n(.*?)(?=^  \w+:|\Z)", CI, flags=re.MULTILINE | re.DOTALL)
    assert found, f"ci.yml has no job {name}"
    return found[1]


def matrix(name: str) -> list[str]:
    """The Pythons of a job's matrix."""
    return json.loads(re.search(r"^ +python: (\[.*\])$", job(name), flags=re.MULTILINE)[1])


def commands(text: str) -> list[list[str]]:
    """The one-line commands of a workflow, as words."""
    return [shlex.split(line) for line in re.findall(r"^ +(?:- )?run: (?![|>])(.+)$", text, flags=re.MULTILINE)]


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


def test_sessions_exist(noxfile):
    """CI calls the sessions that a plain `nox` runs and the long one, each and no other, on a Python that has one."""
    called = {name for words in commands(CI) if words[:2] == ["nox", "-s"] for name in words[2:]}
    assert {name.removesuffix("-$PYTHON") for name in called} == {*noxfile["default"], "operations"}
    assert {"tests-$PYTHON", "smoke-$PYTHON"} <= called
    assert {f"smoke-{python}" for python in matrix("smoke")} <= set(noxfile["sessions"])
    assert set(noxfile["sessions"]["tests"]) <= set(matrix("tests"))


def test_tasks_exist():
    """Each Invoke task that CI calls is in the collection."""
    called = {words[1] for words in commands(CI) if words[0] == "invoke"}
    assert called
    assert called <= set(namespace.task_names)


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


def test_nothing_may_be_skipped():
    """CI fails where an engine or a base image is missing, instead of skipping."""
    for switch in ("DOCKYARD_REQUIRE_ENGINE", "DOCKYARD_REQUIRE_ALL"):
        assert re.search(rf'^  {switch}: "1"$', CI, flags=re.MULTILINE)
