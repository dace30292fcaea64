"""The page on one's own service, followed from an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from support import remove_labelled

if TYPE_CHECKING:
    from dockyard.engines import Engine

PAGE = Path(__file__).parents[2] / "docs" / "your-service.md"
FILE = re.compile(r"^`([^`]+)`[^\n]*\n(?:[^`\n][^\n]*\n)*\n```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINES = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
# Of another package, and of a task that has its own tests.
NOT_TYPED = ("pip install dockyard", "invoke audit")


def test_from_an_empty_folder(tmp_path: Path, unique: str, engine: Engine) -> None:
    """The page's files and lines give a healthy service, whose second build is cached and which stops as it should."""
    text = PAGE.read_text("utf-8")
    files = dict(FILE.findall(text))
    assert set(files) >= {"pyproject.toml", "tasks.py", "Dockerfile", ".dockerignore"}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")
    typed = [line for block in LINES.findall(text) for line in block.splitlines() if line not in NOT_TYPED]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("API_KEY")}
    environment |= {"DOCKYARD_IMAGE": unique, "DOCKYARD_RUN_NAME": unique, "DOCKYARD_RUN_PORT": "0", "NO_COLOR": "1"}
    environment |= {"DOCKYARD_RUN_WATCH": "0", "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    def said(line: str) -> str:
        done = subprocess.run(line.split(), cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    try:
        started = "".join(map(said, typed))
        address = re.search(rf"{unique} healthy after .*: (http://\S+)", started)
        assert address
        with urlopen(f"{address[1]}/") as answer:
            assert answer.read() == b'{"shop":"open"}\n'
        assert re.search(r"all \d+ steps cached", said("invoke build"))
        verdicts = dict(re.findall(r"^(pass|fail)\s+(\w+)", said("invoke smoke"), re.MULTILINE))
        assert "pass" in verdicts
        assert "fail" not in verdicts
    finally:
        remove_labelled(engine, unique)
