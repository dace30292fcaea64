"""The tasks that change what serves: back to an earlier release, or on to another key."""

from __future__ import annotations

import functools
from pathlib import Path

from invoke.context import Context  # noqa: TC002 - Invoke reads the signature
from invoke.tasks import task

from dockyard.errors import SettingsError
from dockyard.tasks.bridge import as_json, command, opened, seconds


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


@task(
    help={
        "env-file": "file with the new key, API_KEY=…; default: one is made",
        "ask": "ask for the new key at the keyboard",
        "overlap": "seconds in which both keys are accepted; then the old one is removed. Default: until --finish",
        "finish": "remove the old key",
        "quiet": "say nothing but results and errors",
    }
)
@command
def rotate_key(
    _: Context, env_file: str = "", ask: bool = False, overlap: str = "", finish: bool = False, quiet: bool = False
) -> None:
    """Change the API key while the service serves; no key is printed."""
    from dockyard import pipeline
    from dockyard.report import tables

    if bool(env_file) + ask > 1 or (finish and (env_file or ask or overlap)):
        raise SettingsError(
            "It is not clear what is meant.",
            "--env-file and --ask each give a new key; --finish only removes the old one.",
            "Give one of them.",
        )
    overlapping = seconds("overlap", overlap) if overlap else None
    asker = pipeline.asker() if ask else None
    if ask and asker is None:
        raise SettingsError("--ask needs a terminal.", "Standard input is none.", "Give the key by --env-file.")
    project = opened(quiet=quiet)
    if finish:
        tables.rotated(project.console, pipeline.finish_rotation(project), finished=True)
        return
    kept = pipeline.rotate_key(project, env_file=Path(env_file) if env_file else None, ask=asker)
    told = functools.partial(tables.rotated, project.console, kept, finished=False, seconds=overlapping)
    if overlapping is None:
        told()
        return
    pipeline.overlap(overlapping, told)
    tables.rotated(project.console, pipeline.finish_rotation(project), finished=True)
