"""Runs what this machine does of a workflow, a step at a time, up to the first that fails."""

from __future__ import annotations

import os
import re
import sys
import time
from collections import deque
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.engines import process
from dockyard.errors import DockyardError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager

    from dockyard.workflow.local import Local

LAST_LINES = 20


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a step ended.

    Attributes:
        verdict: pass, fail, waived (it failed and may) or not-run.
        detail: Its seconds, or why it was not run.
    """

    leg: str
    label: str
    verdict: str
    detail: str


class StepFailedError(DockyardError):
    """A step failed; the exit code is its own."""

    def __init__(self, leg: str, label: str, code: int, log: Path | None) -> None:
        said = f"; it said at the end:\n{_end(log)}" if log else "."
        todo = f"Run it alone: `invoke ci --job '{leg}'`"
        super().__init__(
            f"`{label}` of {leg} failed.",
            f"It ended with exit code {code}{said}",
            f"{todo}. All it said is in {log}." if log else f"{todo}.",
        )
        # What a signal ended has a negative one, which shells count so.
        self.exit_code = code if code > 0 else 128 - code


def _end(log: Path) -> str:
    """Return the last lines of a log, as a terminal without colours shows them."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        last = deque((line for line in lines if line.strip()), LAST_LINES)
    plain = (re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", line).rstrip().rpartition("\r")[2] for line in last)
    return "\n".join("".join(letter for letter in line if letter.isprintable() or letter == "\t") for line in plain)


def perform(
    leg: str,
    steps: Iterable[Local],
    *,
    root: Path,
    logs: Path | None,
    tell: Callable[[Outcome], None],
    watched: Callable[[str], AbstractContextManager[object]] = nullcontext,
) -> None:
    """Run the steps of a leg.

    Args:
        leg: Its name.
        steps: What is to be done.
        root: The project's root.
        logs: Folder of what each step says; None lets all see it.
        tell: Gets the outcome of each.
        watched: Shows that a step runs, while it does.

    Raises:
        StepFailedError: A step failed; those after it are not run.
    """
    for number, step in enumerate(steps, 1):
        reason = step.reason or _lacking(root / step.folder, step.folder)
        if reason:
            tell(Outcome(leg=leg, label=step.label, verdict="not-run", detail=reason))
            continue
        log = logs / f"{re.sub(r'[^A-Za-z0-9.]+', '-', leg).strip('-')}-{number}.log" if logs else None
        began = time.monotonic()
        with watched(f"{leg}: {step.label}"):
            code = process.attend(step.command, folder=root / step.folder, environment=environment(step.env), log=log)
        spent = f"{time.monotonic() - began:.1f} s"
        verdict = "pass" if not code else "waived" if step.lenient else "fail"
        detail = f"{spent}, exit code {code}" if code else spent
        tell(Outcome(leg=leg, label=step.label, verdict=verdict, detail=detail))
        if verdict == "fail":
            raise StepFailedError(leg, step.label, code, log)


def _lacking(folder: Path, name: str) -> str:
    return "" if folder.is_dir() else f"there is no folder {name}"


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return a step's variables: programs are those beside this Python first, and CI is true as on GitHub."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {"CI": "true", "PATH": path, **given}
