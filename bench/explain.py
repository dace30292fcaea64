"""What it costs to know what went into a build: a context of many files in which nothing changed since the last build.

Usage: python bench/explain.py [--files 100000] [--runs 9]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TARGET = 1.0
FOLDER = 500
IGNORED = "**/*.pyc\n**/__pycache__\n.git\n.venv\n*.log\n"
# Each time is a process's own: an earlier one leaves nothing in its memory.
GATHER = """
import json, sys, time
from pathlib import Path
from dockyard import explain
from dockyard.plan.build import BuildPlan
from dockyard.state import State
root = Path(sys.argv[1])
plan = BuildPlan(context=root, dockerfile=root / "Dockerfile", python="3.12", base="scratch", tags=("bench:1",),
                 args={}, labels={}, secrets={})
begun, busy = time.perf_counter(), time.process_time()
explain.gather(plan, state=State(Path(sys.argv[2])), image=lambda _: None)
print(json.dumps([time.perf_counter() - begun, time.process_time() - busy]))
"""


def once(context: Path, state: Path) -> list[float]:
    """Gather in a child; return its wall time and its processor time."""
    command = [sys.executable, "-c", GATHER, str(context), str(state)]
    told: list[float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return told


def lay_out(context: Path, files: int) -> None:
    """Write a context of so many files."""
    for index in range(files):
        folder = context / f"package{index // FOLDER}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"module{index}.py").write_text(f"number = {index}\n")
    (context / ".dockerignore").write_text(IGNORED)
    (context / "Dockerfile").write_text("FROM scratch\nCOPY . /app\n")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=9)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dockyard-") as folder:
        context, state = Path(folder, "context"), Path(folder, "state")
        lay_out(context, given.files)
        first = once(context, state)[0]
        # Files that were written right before they were read are read once more.
        once(context, state)
        taken = [once(context, state) for _ in range(given.runs)]
    wall, busy = (statistics.median(column) for column in zip(*taken, strict=True))
    spread = f"{min(each[0] for each in taken):.2f} to {max(each[0] for each in taken):.2f}, {given.runs} runs"
    sys.stdout.write(f"{given.files} files: {first:.2f} s the first time\n")
    sys.stdout.write(f"unchanged {wall:.2f} s ({spread}); processor {busy:.2f} s; target {TARGET} s\n")


if __name__ == "__main__":
    main()
