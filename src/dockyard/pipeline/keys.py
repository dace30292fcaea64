"""The API key that a production service is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    found = key.find(
        env_file=env_file,
        environment=process_environment(),
        stored=project.state.read_text(key.STORED),
        ask=ask,
        length=project.settings.run.key_length,
    )
    project.console.note(f"API key: from {found.origin}.")
    return found
