"""The task that goes back to an earlier release."""

from __future__ import annotations

from pathlib import Path

from invoke.context import Context  # noqa: TC002 - Invoke reads the signature
from invoke.tasks import task

from dockyard.errors import SettingsError
from dockyard.tasks.bridge import as_json, command, opened


@task(
    help={
        "to": "number of a release, or the beginning of its digest; default: the previous good one",
        "list": "only list the releases",
        "env-file": "file with an API_KEY=… line; default: the key of the running container",
        "format": "of the list: table or json",
        "quiet": "say nothing but results and errors",
    }
)
@command
def rollback(
    _: Context, to: str = "", list: bool = False, env_file: str = "", format: str = "table", quiet: bool = False
) -> None:
    """Bring back an earlier release, proved as a new one is."""
    from dockyard import pipeline
    from dockyard.report import tables

    plain = as_json(format)
    if not list and plain:
        raise SettingsError("--format json is for --list.", "A rollback prints no list.", "Add --list, or drop it.")
    project = opened(quiet=quiet)
    if list:
        tables.releases(project.console, pipeline.releases(project), as_json=plain)
        return
    file = Path(env_file) if env_file else None
    started = pipeline.rollback(project, to=to, env_file=file, ask=pipeline.asker())
    tables.started(project.console, started)
