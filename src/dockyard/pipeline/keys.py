"""The API key that a production service is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard import run
from dockyard.settings import key
from dockyard.settings.sources import process_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dockyard.pipeline.project import Project


def find(project: Project, *, env_file: Path | None, ask: Callable[[], str] | None) -> key.Key:
    """Return the key from the first place that has one, and say which that is.

    Raises:
        SettingsError: There is none, or it is too short, or no HTTP header can carry it.
    """
    found = _first(project, env_file, ask)
    project.console.note(f"API key: from {found.origin}.")
    return found


def in_use(project: Project, *, env_file: Path | None, ask: Callable[[], str] | None) -> key.Key:
    """Return the key that was rotated in, unless one is given by hand; else as `find` does."""
    settings = project.settings
    rotation = run.Rotation(project.state, settings.run.name)
    found = None if env_file else rotation.key_in_use(settings.run.name, settings.image, project.engine)
    if found is None:
        return find(project, env_file=env_file, ask=ask)
    if set(key.VARIABLES) & set(process_environment()):
        first = _first(project, None, ask)
        if not set(first.lines) <= set(found.lines):
            project.console.note(
                f"Not taken: {first.origin} holds another key than the one in use since {found.origin}. "
                "Correct it, or give the key by --env-file.",
                style="yellow",
            )
    project.console.note(f"API key: from {found.origin}.")
    return found


def _first(project: Project, env_file: Path | None, ask: Callable[[], str] | None) -> key.Key:
    return key.find(
        env_file=env_file,
        environment=process_environment(),
        stored=project.state.read_text(key.STORED),
        ask=ask,
        length=project.settings.run.key_length,
    )
