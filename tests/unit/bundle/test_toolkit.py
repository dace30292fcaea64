"""dockyard as a wheel: what runs here, installable anywhere, and the same bytes each time."""

from __future__ import annotations

import base64
import csv
import hashlib
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import dockyard
from dockyard.bundle import toolkit

SOURCES = Path(dockyard.__file__).parent


def test_wheel(tmp_path):
    """It holds every source as it runs here, its metadata, and a RECORD that is true of each file."""
    with zipfile.ZipFile(toolkit.write_wheel(tmp_path)) as archive:
        there = {name: archive.read(name) for name in archive.namelist()}
    info = f"dockyard-{version('dockyard')}.dist-info"
    for path in SOURCES.rglob("*.py"):
        assert there[f"dockyard/{path.relative_to(SOURCES).as_posix()}"] == path.read_bytes()
    assert not [name for name in there if "__pycache__" in name]
    assert b"Requires-Dist: docker" in there[f"{info}/METADATA"]
    assert f"{info}/WHEEL" in there
    record = {name: told for name, told, _ in csv.reader(there[f"{info}/RECORD"].decode().splitlines())}
    assert record.keys() == there.keys()
    for name, told in record.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(there[name]).digest()).rstrip(b"=").decode()
        assert told in ("", f"sha256={digest}"), name


def test_same_bytes(tmp_path):
    """The same sources give the same wheel."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        toolkit.write_wheel(folder)
    one, two = (next(folder.iterdir()) for folder in folders)
    assert one.read_bytes() == two.read_bytes()


def test_imported_from_the_wheel(tmp_path):
    """The wheel is importable and knows its tasks, with nothing of the checkout on the path."""
    wheel = toolkit.write_wheel(tmp_path)
    script = "import dockyard.tasks; print(dockyard.tasks.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(wheel)}
    )
    assert done.stdout.startswith(str(wheel))


def test_constraints():
    """Everything that dockyard requires is pinned to what runs here, what those require too; extras as well."""
    pinned = dict(line.split("==") for line in toolkit.constraints().splitlines())
    assert pinned["docker"] == version("docker")
    assert pinned["uv"] == version("uv"), "nox[uv]"
    assert pinned["urllib3"] == version("urllib3"), "what requests wants, which docker wants"
    assert "dockyard" not in pinned
    assert all(Requirement(f"{name}=={told}") for name, told in pinned.items())


@pytest.mark.parametrize(
    ("text", "extras", "holds"),
    [
        ("x>=1", set(), True),
        ("x; python_version < '3'", set(), False),
        ("x; extra == 'a'", set(), False),
        ("x; extra == 'a'", {"b"}, False),
        ("x; extra == 'a'", {"a", "b"}, True),
    ],
)
def test_holds(text, extras, holds):
    """What only another Python or an extra wants that nobody asked for is no part of the toolkit."""
    assert toolkit._holds(Requirement(text), frozenset(extras)) == holds


def test_runs_on():
    """It is told for which Pythons there is a toolkit."""
    assert toolkit.runs_on("3.12")
    assert not toolkit.runs_on("3.10")
