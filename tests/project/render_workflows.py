"""Writes the matrices of ci.yml: those of images from [tool.dockyard], those of tests from the classifiers."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATH = ROOT / ".github" / "workflows" / "ci.yml"
PREFIX = "Programming Language :: Python :: "


def matrices() -> dict[str, list[str]]:
    """Job to the Pythons of its matrix."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    classifiers = document["project"]["classifiers"]
    return {
        "tests": [each.removeprefix(PREFIX) for each in classifiers if each.startswith(PREFIX)],
        "smoke": document["tool"]["dockyard"]["pythons"],
    }


def rendered(text: str) -> str:
    """Return the workflow with these matrices."""
    for job, pythons in matrices().items():
        pattern = rf"(^  {job}:\n(?:    .*\n|\n)*?        python: )\[.*\]$"
        text, count = re.subn(pattern, rf"\g<1>{json.dumps(pythons)}", text, count=1, flags=re.MULTILINE)
        if not count:
            raise ValueError(f"ci.yml has no job {job} with a matrix of Pythons")
    return text


if __name__ == "__main__":
    PATH.write_text(rendered(PATH.read_text("utf-8")), "utf-8")
