"""The README's first line and the commands of its table, typed by a new user in a fresh copy of the tree."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.engines import Engine

REPOSITORY = Path(__file__).parents[2]
FIRST_LINE = re.compile(r"^python3 -m venv .* && invoke setup up$", re.MULTILINE)


@pytest.fixture
def shell(tmp_path: Path, unique: str, engine: Engine) -> Callable[[str], str]:
    """Type a line in a copy of the tracked files; the container has a name and a port of its own."""
    folder = tmp_path / "clone"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True, text=True)
    for name in filter(None, tracked.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, folder / name)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("API_KEY", "VIRTUAL_ENV"))}
    environment |= {"DOCKYARD_IMAGE": unique, "DOCKYARD_RUN_NAME": unique, "DOCKYARD_RUN_PORT": "0"}
    environment |= {"DOCKYARD_RUN_WATCH": "1", "NO_COLOR": "1"}

    def type_line(line: str) -> str:
        done = subprocess.run(
            ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=280
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    return type_line


def test_from_a_fresh_clone_to_an_answered_prediction(shell: Callable[[str], str], unique: str) -> None:
    """The first line builds, runs and predicts; a second build is all cached; the everyday commands work."""
    line = FIRST_LINE.search((REPOSITORY / "README.md").read_text("utf-8"))
    assert line
    said = shell(line[0])
    assert f"{unique} healthy after" in said
    assert "mode 0600" in said
    assert '"predicted_price":' in said

    active = ". .venv/bin/activate && "
    assert "all 13 steps cached" in shell(f"{active}invoke build --progress plain")
    assert json.loads(shell(f"{active}invoke status --format json"))["health"] == "healthy"
    assert "fail" not in re.findall(r"^\w+", shell(f"{active}invoke smoke"), re.MULTILINE)
    assert f"{unique} replaced the old one" in shell(f"{active}invoke run --prod")
    assert json.loads(shell(f"{active}invoke logs --lines 1"))["ts"]
    assert "exit code 0" in shell(f"{active}invoke stop")
    assert f"container {unique}" in shell(f"{active}invoke clean --images")
