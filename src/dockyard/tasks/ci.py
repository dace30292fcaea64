"""The tasks of a pipeline: what CI does, on this machine, and what a release says of itself."""

from __future__ import annotations

from invoke.context import Context  # noqa: TC002 - Invoke reads the signature
from invoke.tasks import task

from dockyard.tasks.bridge import command, opened


@task(
    help={
        "job": "only this job, or this leg of its matrix, for instance 'tests (3.12)'; may be given again",
        "list": "say what would run, and what would not and why; run nothing",
        "workflow": "its file, below .github/workflows. Default: ci.yml",
        "verbose": "show what the steps say as they say it, instead of keeping it",
    },
    iterable=["job"],
)
@command
def ci(
    _: Context, job: list[str] | None = None, list: bool = False, workflow: str = "ci.yml", verbose: bool = False
) -> None:
    """Run what the CI workflow runs, read from it."""
    from dockyard.pipeline import ci as pipeline
    from dockyard.report import ci as reports

    project = opened()
    options = pipeline.CiOptions(workflow=workflow, jobs=tuple(job or ()), verbose=verbose)
    if list:
        reports.listed(project.console, [(leg, pipeline.steps(leg)) for leg in pipeline.chosen(project, options)])
    else:
        pipeline.run_ci(project, options)


@task(help={"version": "release, for instance 0.1.0 or v0.1.0. Default: the project's version"})
@command
def notes(_: Context, version: str = "") -> None:
    """Print what CHANGELOG.md says of a release."""
    from dockyard.pipeline.notes import release_notes

    project = opened()
    project.console.lines(release_notes(project.settings, version).splitlines())
