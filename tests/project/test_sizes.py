"""Nothing grows beyond what is read in one go."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "src").rglob("*.py"))

Function = ast.FunctionDef | ast.AsyncFunctionDef


def lines(path: Path) -> int:
    """How many lines a file has."""
    return len(path.read_text("utf-8").splitlines())


def functions(path: Path) -> list[Function]:
    """Every function of a file, those inside others too."""
    return [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, Function)]


def body(function: Function) -> int:
    """How many lines a function's body has, its docstring left out."""
    statements = function.body[1:] if ast.get_docstring(function) else function.body
    return statements[-1].end_lineno - statements[0].lineno + 1 if statements else 0


def is_session(function: Function) -> bool:
    """Whether a function is a Nox session."""
    return any("nox.session" in ast.unparse(each) for each in function.decorator_list)


def test_noxfile_is_short():
    """The noxfile has fewer than 130 lines."""
    assert lines(ROOT / "noxfile.py") < 130


def test_sessions_are_short():
    """A session's body has at most 12 lines: more belongs into a task or a test."""
    sessions = [function for function in functions(ROOT / "noxfile.py") if is_session(function)]
    assert sessions
    assert {each.name: body(each) for each in sessions if body(each) > 12} == {}


def test_tasks_file_only_assembles():
    """This repository's tasks.py has fewer than 40 lines, and a task of it at most 5."""
    assert lines(ROOT / "tasks.py") < 40
    assert {each.name: body(each) for each in functions(ROOT / "tasks.py") if body(each) > 5} == {}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT / "src").as_posix())
def test_modules_and_functions_are_short(path):
    """A module has at most 260 lines, a function at most 60."""
    assert lines(path) <= 260
    long = {each.name: size for each in functions(path) if (size := each.end_lineno - each.lineno + 1) > 60}
    assert long == {}
