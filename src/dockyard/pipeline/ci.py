"""What CI does, on this machine: read from the workflow itself."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard import workflow
from dockyard.engines import process
from dockyard.errors import SettingsError
from dockyard.report import ci as reports

if TYPE_CHECKING:
    from dockyard.pipeline.project import Project

FOLDER = ".github/workflows"
SUMMARY = "GITHUB_STEP_SUMMARY"


@dataclass(frozen=True, kw_only=True)
class CiOptions:
    """What of it is asked for.

    Attributes:
        workflow: Its file, below .github/workflows.
        jobs: Ids of jobs, or names of their legs; empty takes all.
        verbose: Show what the steps say, instead of keeping it.
    """

    workflow: str = "ci.yml"
    jobs: tuple[str, ...] = ()
    verbose: bool = False


def chosen(project: Project, options: CiOptions) -> tuple[workflow.Leg, ...]:
    """Return the legs that were asked for.

    Raises:
        SettingsError: There is no such workflow, or no such job in it.
    """
    folder = project.settings.root / FOLDER
    path = folder / options.workflow
    if not path.is_file():
        there = ", ".join(sorted(each.name for each in folder.glob("*.y*ml"))) or "none"
        raise SettingsError(f"There is no workflow {options.workflow}.", f"{FOLDER} has {there}.", "Name one of them.")
    return workflow.legs(workflow.read(path), options.jobs)


def steps(leg: workflow.Leg) -> tuple[workflow.Local, ...]:
    """Return what this machine does of a leg."""
    return tuple(workflow.prepared(leg, has_python))


def run_ci(project: Project, options: CiOptions) -> None:
    """Run what the workflow runs, as far as this machine can; stop at the first step that fails.

    Raises:
        SettingsError: There is no such workflow, or no such job in it.
        StepFailedError: A step failed; its exit code is that of the error.
    """
    asked = chosen(project, options)
    folder = project.settings.state / "ci"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    summary = folder / "summary.md"
    summary.touch()
    told: list[workflow.Outcome] = []

    def tell(outcome: workflow.Outcome) -> None:
        told.append(outcome)
        reports.outcome(project.console, outcome)

    for leg in asked:
        reports.begun(project.console, leg)
        ready = [replace(step, env={**step.env, SUMMARY: str(summary)}) for step in steps(leg)]
        workflow.perform(
            leg.name,
            ready,
            root=project.settings.root,
            logs=None if options.verbose else folder,
            tell=tell,
            watched=lambda text: reports.running(project.console, text, live=not options.verbose),
        )
    reports.ended(project.console, told, summary if summary.stat().st_size else None)


def has_python(version: str) -> bool:
    """Whether this machine has a Python that runs; of pyenv's, not its shims, which answer for all of them."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    named = [program for program in (process.find(f"python{version}"),) if program]
    offered = [*named, *map(str, sorted(pyenv.glob(f"versions/{version}*/bin/python{version}")))]
    return any(process.run([program, "--version"]).ok for program in offered)
