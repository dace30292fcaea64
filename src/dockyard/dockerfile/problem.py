"""What a Dockerfile that BuildKit would refuse is answered with."""

from __future__ import annotations

from dockyard.errors import SettingsError


class DockerfileError(SettingsError):
    """A Dockerfile that cannot be built.

    Args:
        name: Of the file.
        line: The first line of what is wrong, from 1; 0 for the whole file.
        why: What is wrong with it.
    """

    def __init__(self, name: str, line: int, why: str) -> None:
        place = f"{name}:{line}" if line else name
        super().__init__(f"{place} cannot be read.", why, f"Mend {place}; BuildKit would refuse it too.")
        self.line = line


class Refused(ValueError):  # noqa: N818 - it becomes a DockerfileError as soon as its place is known
    """Why an instruction is refused, where its place is not known yet."""
