"""The life of the project's containers, as operators command it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from dockyard import gateway, plan, run
from dockyard.pipeline.gateway import process_of
from dockyard.pipeline.release import settle
from dockyard.settings import key
from dockyard.settings.sources import process_environment
from dockyard.state import PRIVATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.engines.facts import ContainerFacts
    from dockyard.pipeline.project import Project


def start_development(project: Project) -> run.Started:
    """Start the container that serves the working tree."""
    given = key.Key(value=project.settings.dev.key, origin="`key` in [tool.dockyard.dev]")
    planned = plan.development_plan(project.settings, token=secrets.token_hex(4))
    with project.state.lock("run"):
        started = run.start(planned, given, engine=project.engine, announce=project.announce)
    for note in started.notes:
        project.console.note(note)
    return started


def keep_key(project: Project) -> None:
    """Make and keep an API key, unless one is given or kept already."""
    given = set(key.VARIABLES) & set(process_environment())
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


def stop(project: Project, *, dev: bool = False) -> tuple[str, int]:
    """Stop a container gracefully; return its name and exit code."""
    with project.state.lock("run"):
        settle(project)
        facts = own(project, dev=dev)
        if not dev and gateway.behind(facts):
            gateway.Gateway(process=process_of(project)).close(project.settings.run.stop_timeout)
        code = run.stop(facts, seconds=project.settings.run.stop_timeout, engine=project.engine)
    return facts.name, code
