"""The life of the project's containers, as operators command it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from dockyard import plan, run
from dockyard.settings import key
from dockyard.settings.sources import process_environment
from dockyard.state import PRIVATE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dockyard.engines.facts import ContainerFacts
    from dockyard.pipeline.project import Project


def start_production(
    project: Project, *, env_file: Path | None = None, ask: Callable[[], str] | None = None
) -> run.Started:
    """Start the hardened container, or put it in the place of the one that runs."""
    settings = project.settings
    found = key.find(
        env_file=env_file,
        environment=process_environment(),
        stored=project.state.read_text(key.STORED),
        ask=ask,
        length=settings.run.key_length,
    )
    project.console.note(f"API key: from {found.origin}.")
    return _start(project, plan.production_plan(settings, token=secrets.token_hex(4)), found)


def start_development(project: Project) -> run.Started:
    """Start the container that serves the working tree."""
    given = key.Key(value=project.settings.dev.key, origin="`key` in [tool.dockyard.dev]")
    return _start(project, plan.development_plan(project.settings, token=secrets.token_hex(4)), given)


def _start(project: Project, planned: plan.RunPlan, given: key.Key) -> run.Started:
    console = project.console
    with project.state.lock("run"):
        started = run.start(planned, given, engine=project.engine, announce=lambda phase: console.note(f"… {phase}"))
    for note in started.notes:
        console.note(note)
    return started


def keep_key(project: Project) -> None:
    """Make and keep an API key, unless one is given or kept already."""
    given = {key.VARIABLE, f"{key.VARIABLE}_FILE"} & set(process_environment())
    if given or project.state.read_text(key.STORED) is not None:
        return
    path = project.state.write(key.STORED, f"{key.make().get_secret_value()}\n".encode(), mode=PRIVATE)
    project.console.note(f"API key: a new one was made and is kept in {path} (mode 0600).", style="yellow")


def asker() -> Callable[[], str] | None:
    """Return what asks a person for the key; None where nobody sits at a terminal."""
    import getpass  # noqa: PLC0415
    import sys  # noqa: PLC0415

    return (lambda: getpass.getpass("API key: ")) if sys.stdin.isatty() else None


def own(project: Project, *, dev: bool = False) -> ContainerFacts:
    """Return our production container, or the development one."""
    name = project.settings.dev.name if dev else project.settings.run.name
    return run.own_container(name, project.settings.image, project.engine)
