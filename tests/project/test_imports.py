"""Who imports whom: the flow goes one way, and each outside tool has one door."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src"

# From left to right: a room imports what stands before its own line; rooms of one line do not know each other.
FLOW = (
    ("errors", "units", "support"),
    ("engines",),
    ("settings", "state"),
    ("machine", "revision", "workflow"),
    ("dockerfile", "context", "image"),
    ("plan",),
    ("build",),
    ("explain", "provenance", "reproduce", "sbom", "size"),
    ("cache",),
    ("run", "pin"),
    ("gateway", "smoke", "observe"),
    ("audit",),
    ("deploy", "bundle"),
    ("push",),
    ("report",),
    ("pipeline",),
    ("tasks",),
)
RANK = {room: rank for rank, rooms in enumerate(FLOW) for room in rooms}

# Outside package to the only place that imports it.
DOORS = {
    "subprocess": "dockyard/engines/process.py",
    "python_on_whales": "dockyard/engines/buildx.py",
    "docker": "dockyard/engines/daemon.py",
    "rich": "dockyard/report/",
    "invoke": "dockyard/tasks/",
}

MODULES = sorted(SOURCES.rglob("*.py"))
DOCKYARD = [path for path in MODULES if path.is_relative_to(SOURCES / "dockyard")]


def named(path: Path) -> str:
    """A module's path below src."""
    return path.relative_to(SOURCES).as_posix()


def imported(path: Path) -> set[str]:
    """The full names that a module imports, anywhere in it: at the top, in functions, for type checkers."""
    found = set()
    package = path.parent.parts[len(SOURCES.parts) :]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def rooms(path: Path) -> set[str]:
    """The rooms of dockyard that a module imports."""
    names = (name.split(".") for name in imported(path))
    return {parts[1] for parts in names if parts[0] == "dockyard" and len(parts) > 1}


@pytest.mark.parametrize("path", DOCKYARD, ids=named)
def test_flow(path):
    """A module imports its own room and rooms to its left; the package itself imports none."""
    room = path.relative_to(SOURCES / "dockyard").parts[0].removesuffix(".py")
    allowed = {other for other in RANK if other == room or RANK[other] < RANK.get(room, 0)}
    assert rooms(path) <= allowed


def test_flow_is_whole():
    """Every room is in the flow and every name in the flow is a room, so that none escapes the test above."""
    found = {path.relative_to(SOURCES / "dockyard").parts[0].removesuffix(".py") for path in DOCKYARD}
    assert found - {"__init__"} == set(RANK)


@pytest.mark.parametrize("package", DOORS)
def test_door(package):
    """An outside tool is imported behind its own door and nowhere else, not even for its types."""
    importers = {named(path) for path in MODULES if package in {name.split(".")[0] for name in imported(path)}}
    assert importers
    assert {name for name in importers if not name.startswith(DOORS[package])} == set()


@pytest.mark.parametrize(("one", "other"), [("dockyard", "house_pricing"), ("house_pricing", "dockyard")])
def test_toolkit_and_service_are_strangers(one, other):
    """Neither package imports the other: the toolkit serves any service, and the image has no toolkit in it."""
    importers = {
        named(path)
        for path in (SOURCES / one).rglob("*.py")
        if other in {name.split(".")[0] for name in imported(path)}
    }
    assert importers == set()


def test_noxfile_stands_alone():
    """The noxfile imports Nox and the standard library only: dockyard may be absent where Nox is installed."""
    packages = {name.partition(".")[0] for name in imported(ROOT / "noxfile.py")}
    assert "nox" in packages
    assert packages - {"nox"} <= sys.stdlib_module_names


LATER = [
    "docker",
    "python_on_whales",
    "yaml",
    *(f"dockyard.{room}" for room in ("audit", "dockerfile", "explain", "image", "run")),
]


@pytest.mark.parametrize("heavy", LATER)
def test_build_is_light(heavy):
    """`invoke build` does not wait for what it needs later, or what only other commands need."""
    script = f"import sys, dockyard; dockyard.open_project, dockyard.build_image; print({heavy!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
