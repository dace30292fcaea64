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
LOGS = "ci"
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
        there = ", ".join(sorted(each.name for each in folder.glob("*.y*ml")))
        todo = (
            "Name one of them: `--workflow`." if there else "Write one: docs/ci.md of dockyard has what it would call."
        )
        raise SettingsError(f"There is no workflow {options.workflow}.", f"{FOLDER} has {there or 'none'}.", todo)
    return workflow.legs(workflow.read(path), options.jobs)


def steps(leg: workflow.Leg) -> tuple[workflow.Local, ...]:
    """Return what this machine does of a leg."""
    return tuple(workflow.prepared(leg, has_python))


def run_ci(project: Project, options: CiOptions) -> None:
    """Run what the workflow runs, as far as this machine can; stop at the first step that fails.

    Raises:
        SettingsError: There is no such workflow, or no such job in it.
        LockedError: It runs already.
        StepFailedError: A step failed; its exit code is that of the error.
    """
    asked = chosen(project, options)
    with project.state.lock("ci"):
        summary = _emptied(project)
        told: list[workflow.Outcome] = []

        def tell(outcome: workflow.Outcome) -> None:
            told.append(outcome)
            reports.outcome(project.console, outcome)

        for leg in asked:
            reports.begun(project.console, leg)
            workflow.perform(
                leg.name,
                [replace(step, env={**step.env, SUMMARY: str(summary)}) for step in steps(leg)],
                root=project.settings.root,
                logs=None if options.verbose else summary.parent,
                tell=tell,
                watched=lambda text: reports.running(project.console, text, live=not options.verbose),
            )
        reports.ended(project.console, told, summary if summary.stat().st_size else None)


def _emptied(project: Project) -> Path:
    """Forget what the last run kept, and return the file of the jobs' summary; what steps say is for us alone."""
    folder = project.settings.state / LOGS
    shutil.rmtree(folder, ignore_errors=True)
    summary = project.state.write(f"{LOGS}/summary.md", b"")
    folder.chmod(0o700)
    return summary


def has_python(version: str) -> bool:
    """Whether this machine has a Python that runs; of pyenv's, not its shims, which answer for all of them."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    named = [program for program in (process.find(f"python{version}"),) if program]
    offered = [*named, *map(str, sorted(pyenv.glob(f"versions/{version}*/bin/python{version}")))]
    return any(process.run([program, "--version"]).ok for program in offered)
