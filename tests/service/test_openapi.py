"""Schemathesis asks the real process everything its own document allows, and what it does not."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from .conftest import KEY

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Process


def test_document_and_answers_agree(running: Process, tmp_path: Path) -> None:
    """No 5xx, no answer outside the document, no valid request refused, no invalid one accepted."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{running.port}/openapi.json"]
    options = {
        "--header": f"X-API-Key: {KEY}",
        "--checks": "all",
        "--phases": "examples,coverage,fuzzing",
        "--max-examples": "50",
        "--request-timeout": "10",
    }
    words = [word for pair in options.items() for word in pair]
    done = subprocess.run(
        [*command, *words, "--generation-deterministic", "--no-color"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[:5000]
    asked = [line for line in running.lines() if line["event"] == "request" and line["route"] != "/ready"]
    statuses = {line["status"] for line in asked}
    assert {200, 401, 405, 422} <= statuses
    assert max(statuses) < 500
