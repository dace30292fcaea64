"""What dockyard's commands cost beside the plain ones: both in turn, medians, their difference and their ratio.

Usage: python bench/commands.py [--only list] [--runs 9]
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
INVOKE = [sys.executable, "-m", "invoke"]
BUILD = [*INVOKE, "build", "--progress", "plain"]
# A docker that keeps how a build was asked of it.
SHIM = '#!/bin/sh\n[ "$2" = build ] && for each in "$@"; do echo "$each"; done > "$ASKED"\nexec {docker} "$@"\n'


# What a project would write that has Invoke and python-on-whales and nothing else.
BARE = """
from invoke import task


@task
def build(_):
    from python_on_whales import docker

    for message in docker.buildx.build(progress="plain", stream_logs=True, **{options!r}):
        pass
"""

# The same build by the same task, but nothing is shown of it, nothing of what went in is kept and nothing is explained.
SILENT = """
import sys, types
from invoke.main import program
from dockyard.pipeline import image

nothing = types.ModuleType("nothing")
nothing.explained = nothing.one_line = lambda *_: ""
sys.modules["dockyard.pipeline.explained"] = sys.modules["dockyard.report.explain"] = nothing
image._ingredients = lambda *_: {}
program.run(["invoke", "build", "--progress", "quiet"])
"""


def list_pair(folder: Path) -> tuple[list[str], list[str], Path]:
    """`invoke --list` of this project, and of one task."""
    (folder / "tasks.py").write_text("from invoke import task\n\n\n@task\ndef one(_): ...\n")
    return [*INVOKE, "--list"], [*INVOKE, "--list"], folder


def start_pair(_: Path) -> tuple[list[str], list[str], Path]:
    """An all-cached `invoke build`, and what Python and Invoke need to start and do nothing."""
    return BUILD, [*INVOKE, "--version"], ROOT


def cached_pair(folder: Path) -> tuple[list[str], list[str], Path]:
    """An all-cached `invoke build`, and the very command that it sends."""
    return BUILD, sent(folder), ROOT


def bare_pair(folder: Path) -> tuple[list[str], list[str], Path]:
    """An all-cached `invoke build`, and a task that calls python-on-whales for the same build and does nothing else."""
    words = sent(folder)
    given = defaultdict(list)
    for flag, value in itertools.pairwise(words):
        if flag.startswith("--"):
            given[flag].append(value)
    (folder / "tasks.py").write_text(
        BARE.format(
            options={
                "context_path": words[-1],
                "file": given["--file"][0],
                "tags": given["--tag"],
                "secrets": given["--secret"],
                "labels": dict(each.split("=", 1) for each in given["--label"]),
                "build_args": dict(each.split("=", 1) for each in given["--build-arg"]),
                "provenance": False,
                "load": True,
            }
        )
    )
    return BUILD, [*INVOKE, "--search-root", str(folder), "build"], ROOT


def told_pair(folder: Path) -> tuple[list[str], list[str], Path]:
    """An all-cached `invoke build`, and the same without what it shows, keeps and explains."""
    (folder / "silent.py").write_text(SILENT)
    return BUILD, [sys.executable, str(folder / "silent.py")], ROOT


def cold_pair(folder: Path) -> tuple[list[str], list[str], Path]:
    """The same without cache."""
    return [*BUILD, "--no-cache"], [*sent(folder), "--no-cache"], ROOT


def sent(folder: Path) -> list[str]:
    """Return what `invoke build` asks of docker, with the plain progress that docker itself prints."""
    shim, asked = folder / "docker", folder / "asked"
    shim.write_text(SHIM.format(docker=shutil.which("docker")))
    shim.chmod(0o755)
    environment = os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "ASKED": str(asked)}
    subprocess.run(BUILD, cwd=ROOT, env=environment, check=True, capture_output=True)
    words = asked.read_text("utf-8").splitlines()
    words[words.index("rawjson")] = "plain"
    place = words.index("--metadata-file")
    return ["docker", *words[:place], *words[place + 2 :]]


def seconds(command: list[str], folder: Path) -> float:
    """Run a command and return its wall time."""
    begun = time.perf_counter()
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def main() -> None:
    """Measure the pairs that are named, or all."""
    pairs = {
        "list": list_pair,
        "start": start_pair,
        "cached": cached_pair,
        "bare": bare_pair,
        "told": told_pair,
        "cold": cold_pair,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(pairs), action="append", help="a pair; default: all")
    parser.add_argument("--runs", type=int, default=9)
    given = parser.parse_args()
    for name in given.only or pairs:
        with tempfile.TemporaryDirectory() as folder:
            ours, plain, where = pairs[name](Path(folder))
            seconds(ours, ROOT), seconds(plain, where)
            taken = [(seconds(ours, ROOT), seconds(plain, where)) for _ in range(given.runs)]
        mine, theirs = (statistics.median(column) for column in zip(*taken, strict=True))
        more, ratio = (statistics.median(each) for each in zip(*((a - b, a / b) for a, b in taken), strict=True))
        sys.stdout.write(
            f"{name:<8}{mine:7.3f} s  beside {theirs:7.3f} s  {more:+.3f} s  ratio {ratio:.2f} ({given.runs} pairs)\n"
        )


if __name__ == "__main__":
    main()
