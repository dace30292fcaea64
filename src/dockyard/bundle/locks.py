"""The locks of a build: which files they are, and which wheels each Python wants of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from dockyard import context
from dockyard.audit.facts.locks import Locked, locked, same_version
from dockyard.audit.read import TextFile
from dockyard.bundle.manifest import FOLDERS, NAME
from dockyard.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from dockyard.bundle.manifest import Member

HASHED = "--hash=sha256:"


@dataclass(frozen=True, kw_only=True)
class Lock:
    """A hashed requirements file.

    Attributes:
        name: Its path from the project's root.
    """

    name: str
    text: str

    def requirements(self) -> tuple[Locked, ...]:
        """Return what it locks, for whatever Python."""
        return tuple(locked(TextFile(path=self.name, text=self.text)))

    def unmet(self, wheels: Iterable[Member], environment: Mapping[str, str]) -> Iterator[Locked]:
        """Yield what it wants in an environment and no wheel is: of that name and version, with a hash it knows."""
        there = [(*name_of(each.file), each.sha256) for each in wheels]
        for each in self.requirements():
            if each.fault or not each.applies(environment):
                continue
            fits = (
                name == each.name and same_version(version, each.version) and f":{sha256}" in self.text
                for name, version, sha256 in there
            )
            if not any(fits):
                yield each


def name_of(wheel: str) -> tuple[str, str]:
    """Return the name and version of a wheel; of what is none, its whole name."""
    try:
        name, version, _, _ = parse_wheel_filename(wheel)
    except InvalidWheelFilename:
        return wheel, ""
    return str(name), str(version)


def locks_of(root: Path, folder: Path, dockerfile: Path, named: tuple[str, ...]) -> tuple[Lock, ...]:
    """Return the locks of a build.

    Args:
        root: Of the project.
        folder: The build context.
        dockerfile: Whose .dockerignore counts.
        named: Those of the settings, from the root; none are the hashed files `*.txt` that the context admits.

    Raises:
        SettingsError: One cannot be read, or does not lock what it names.
    """
    if named:
        return tuple(_checked(_read(root / name, name)) for name in sorted(named))
    admitted = context.files(folder, context.effective(folder, dockerfile))
    found = (_read(folder / name, name) for name in admitted if name.endswith(".txt"))
    return tuple(_checked(lock) for lock in found if HASHED in lock.text)


def _read(path: Path, name: str) -> Lock:
    try:
        return Lock(name=name, text=path.read_text("utf-8", "replace"))
    except OSError as error:
        raise SettingsError(
            f"The lock {name} cannot be read.", str(error), "Correct `locks` of [tool.dockyard.bundle]."
        ) from None


def _checked(lock: Lock) -> Lock:
    """Refuse a lock that does not say exactly what is installed, or whose name no archive may hold."""
    if not NAME.fullmatch(FOLDERS["lock"] + lock.name):
        raise SettingsError(
            f"The lock {lock.name} cannot go into a bundle.",
            "Its name leads out of the project, begins with a point, or has odd letters.",
            "Give it another name, or name the locks in [tool.dockyard.bundle].",
        )
    loose = [each for each in lock.requirements() if each.fault]
    if loose:
        first = loose[0]
        raise SettingsError(
            f"{lock.name} locks not all that it names, so no bundle can hold it.",
            f"{first.place.file}:{first.place.line} {first.text} {first.fault}.",
            "Compile it with hashes, for instance `uv pip compile --generate-hashes`.",
        )
    return lock
