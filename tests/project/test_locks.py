"""What is installed is what a lock names: every lock is compiled, whole, and insisted on."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from dockyard.pin import locked

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCKS = PYPROJECT["tool"]["dockyard"]["pin"]["locks"]


def wanted(group: str) -> list[Requirement]:
    """What a dependency group asks for, those that it includes too; `.` is the project itself."""
    listed = PYPROJECT["project"]["dependencies"] if group == "." else PYPROJECT["dependency-groups"][group]
    own = [Requirement(each) for each in listed if isinstance(each, str)]
    return own + [one for each in listed if isinstance(each, dict) for one in wanted(each["include-group"])]


def test_every_lock_is_compiled():
    """Each file of requirements/ that is installed from is one that `invoke pin --dependencies` compiles."""
    assert sorted(LOCKS) == sorted(f"requirements/{path.name}" for path in (ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("name", LOCKS)
def test_lock_holds_what_is_asked_for(name):
    """A lock has each requirement of its groups in a version that fits, and hashes for everything."""
    entries = locked.read((ROOT / name).read_text("utf-8"))
    there = {each.name: each.version for each in entries}
    asked = [requirement for group in LOCKS[name] for requirement in wanted(group)]

    assert asked
    assert [each.name for each in entries if not (each.version and each.hashes)] == []
    for each in asked:
        version = there.get(canonicalize_name(each.name))
        assert version, f"{each.name} is not in {name}: run `invoke pin --dependencies`"
        assert each.specifier.contains(Version(version), prereleases=True), f"{each} is {version} in {name}"


def test_sessions_install_locks():
    """A Nox session installs by hash, or this project alone without what it depends on."""
    calls = [
        [ast.literal_eval(word) for word in node.args]
        for node in ast.walk(ast.parse((ROOT / "noxfile.py").read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "session.install"
    ]
    assert calls
    assert [words for words in calls if not {"--require-hashes", "--no-deps"} & set(words)] == []


def test_dockerfile_insists():
    """Each install of the Dockerfile is told to refuse what its lock has not."""
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    installs = re.findall(r"\bpip install\b[^\n&|;]*", text)
    assert installs
    assert [each for each in installs if "--require-hashes" not in each or "--requirement" not in each] == []


def test_no_pin_of_one_machine():
    """A pinned base is one that every machine can have: an assembled one is another on each of them."""
    pins = ROOT / "requirements" / "bases.toml"
    told = tomllib.loads(pins.read_text("utf-8")) if pins.exists() else {}
    assert not [base["reference"] for base in told.get("base", []) if base.get("assembled")]
