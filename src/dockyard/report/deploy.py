"""What `invoke deploy` says: the files, how they differ, and where they run now."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockyard.deploy.files import Comparison
    from dockyard.deploy.rollout import Deployed
    from dockyard.report.console import Console
    from dockyard.settings import Settings

# What was done to a file, by how it was found.
DONE = {"unchanged": "unchanged", "missing": "written", "changed": "rewritten", "edited": "overwritten"}


def written(console: Console, compared: tuple[Comparison, ...], settings: Settings) -> None:
    """Say what was done to each file."""
    folder = settings.deploy.folder
    console.table((), [(DONE.get(each.state, "removed"), f"{folder}/{each.path}") for each in compared])


def checked(console: Console, compared: tuple[Comparison, ...], settings: Settings) -> None:
    """Say how each file is, and the differences."""
    folder = settings.deploy.folder
    console.table((), [(each.state, f"{folder}/{each.path}") for each in compared])
    for each in compared:
        for line in each.diff:
            console.say(line)


def deployed(console: Console, done: Deployed) -> None:
    """Say what serves now, and where."""
    how = f"serves after {done.seconds:.1f} s" if done.changed else "serves already, and nothing was changed"
    console.say(f"{done.name} {how}: {done.where}, {done.image}")
