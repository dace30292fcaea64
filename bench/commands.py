"""What dockyard's commands cost beside the plain ones: both in turn, medians and their ratio.

Usage: python bench/commands.py [--only list] [--runs 9]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dockyard import machine, pipeline

ROOT = Path(__file__).parents[1]
INVOKE = [sys.executable, "-m", "invoke"]


def list_pair(folder: Path) -> tuple[list[str], list[str], Path]:
    """`invoke --list` of this project, and of an empty tasks.py."""
    (folder / "tasks.py").write_text("")
    return [*INVOKE, "--list"], [*INVOKE, "--list"], folder


def build_pair(_: Path) -> tuple[list[str], list[str], Path]:
    """An all-cached `invoke build`, and the same build asked of docker itself."""
    project = pipeline.open_project(quiet=True)
    base = machine.base_for(project.settings.python, project.wanted, project.engine)
    plain = ["docker", "buildx", "build", "--quiet", "--provenance=false", "--load", "--tag", "bench:plain"]
    plain += ["--build-arg", f"PYTHON_VERSION={project.settings.python}", "--build-arg", f"BASE_IMAGE={base.reference}"]
    return [*INVOKE, "build", "--progress", "quiet"], [*plain, str(ROOT)], ROOT


def seconds(command: list[str], folder: Path) -> float:
    """Run a command and return its wall time."""
    begun = time.perf_counter()
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - begun


def main() -> None:
    """Measure the pairs that are named, or all."""
    pairs = {"list": list_pair, "build": build_pair}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=list(pairs), action="append", help="a pair; default: all")
    parser.add_argument("--runs", type=int, default=9)
    given = parser.parse_args()
    for name in given.only or pairs:
        with tempfile.TemporaryDirectory() as folder:
            ours, plain, where = pairs[name](Path(folder))
            seconds(ours, ROOT), seconds(plain, where)
            taken = [(seconds(ours, ROOT), seconds(plain, where)) for _ in range(given.runs)]
        mine, theirs = (statistics.median(column) for column in zip(*taken, strict=True))
        ratio = statistics.median(one / other for one, other in taken)
        sys.stdout.write(f"{name:<8}{mine:7.3f} s  beside {theirs:7.3f} s  ratio {ratio:.2f} ({given.runs} pairs)\n")


if __name__ == "__main__":
    main()
