"""What dockyard keeps in a project, records and keys, does not get into that project's image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard import context
from dockyard.build.anchor import read
from dockyard.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dockyard.pipeline.project import Project
    from dockyard.plan import BuildPlan


def keep_state_out(project: Project, asked: BuildPlan, ignore: context.Ignore, folder: str) -> None:
    """Add our folder to the .dockerignore of a build that would copy it, and say so.

    Every build changes what is in it, so nothing that copies it would ever be cached; and it holds the API key.

    Args:
        project: Whose folder it is.
        asked: The build.
        ignore: What counts for it.
        folder: Ours, below the context.

    Raises:
        SettingsError: The file cannot be written.
    """
    if not any(context.brings(source, f"{folder}/api_key") for source in _sources(asked)):
        return
    file = ignore.file or asked.context / ".dockerignore"
    try:
        _append(file, folder)
    except OSError as error:
        raise SettingsError(
            f"The image would hold {folder}, with the records and the API key that are kept there.",
            f"{file} does not keep it out, and cannot be written: {error.strerror}.",
            f"Add the line `{folder}` to it.",
        ) from None
    project.console.note(
        f"Added {folder} to {file.name}: what dockyard keeps there is not for an image.", style="yellow"
    )


def _sources(asked: BuildPlan) -> Iterator[str]:
    """Yield what the Dockerfile takes from the context; nothing of one that cannot be read, as the build will say."""
    _, dockerfile = read(asked)
    for each in dockerfile.instructions if dockerfile else ():
        yield from each.sources
        yield from (mount.source or "." for mount in each.mounts if mount.type == "bind" and not mount.from_)


def _append(file: Path, line: str) -> None:
    """Add a line to a file, which may not be there, or not end with a line's end."""
    text = file.read_bytes() if file.exists() else b""
    with file.open("ab") as stream:
        stream.write(b"" if not text or text.endswith(b"\n") else b"\n")
        stream.write(f"{line}\n".encode())
