"""What requirements files and a project of the build context ask for, as lines that pip can be given."""

from __future__ import annotations

import posixpath
import re
import tomllib
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement

from dockyard.audit.facts.locks import logical
from dockyard.bundle.locks import HASHED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Options of a requirements file that change what is found.
INDEXES = frozenset({"-i", "--index-url", "--extra-index-url", "--trusted-host", "--pre"})
HARMLESS = frozenset({"--prefer-binary", "--only-binary"})
OPTION = re.compile(r"(?P<name>--[\w-]+|-\w)(?:[ =]*(?P<value>.*))?")
PROJECT = re.compile(r"[^\[]*(?:\[(?P<extras>[^\]]*)\])?")
# What pip takes for a project that does not say how it is built.
BACKEND = ("setuptools>=40.8.0",)


class UnknownError(Exception):
    """Nobody can say what is installed, and why."""


def checked(line: str) -> str:
    """Return a requirement, if an index can have it.

    Raises:
        UnknownError: None can.
    """
    try:
        wanted = Requirement(line)
    except InvalidRequirement:
        raise UnknownError(f"`{line}` is no requirement with a name") from None
    if wanted.url:
        raise UnknownError(f"{wanted.name} is from a URL")
    return line


class Sources:
    """The build context, as far as commands name requirements in it.

    Args:
        folder: Of the context.
        admitted: The files that a build can copy.
    """

    def __init__(self, folder: Path, admitted: tuple[str, ...]) -> None:
        self._folder = folder
        self._admitted = admitted

    def file(self, name: str) -> Iterator[str]:
        """Yield the lines of a requirements file, and of those that it names; none of a lock, which is fetched as one.

        Raises:
            UnknownError: It cannot be said what it asks for.
        """
        yield from self._file(self._path(name), ())

    def _file(self, path: str, above: tuple[str, ...]) -> Iterator[str]:
        text = self._text(path)
        if path in above:
            raise UnknownError(f"{path} names itself")
        for _, line in () if HASHED in text else logical(text):
            option = OPTION.fullmatch(line)
            if not option:
                yield checked(line)
            elif option["name"] in ("-r", "--requirement"):
                yield from self._file(
                    posixpath.normpath(posixpath.join(posixpath.dirname(path), option["value"])), (*above, path)
                )
            elif option["name"] in INDEXES:
                yield line
            elif option["name"] not in HARMLESS:
                raise UnknownError(f"{path} has {option['name']}")

    def _path(self, name: str) -> str:
        """Return the file of the context that a command means: wherever a COPY has put it, its name ends the same."""
        parts = posixpath.normpath(name).lstrip("/").split("/")
        for at in range(len(parts)):
            end = "/".join(parts[at:])
            found = [each for each in self._admitted if each == end or each.endswith(f"/{end}")]
            if found:
                return min(found, key=lambda each: (each.count("/"), each))
        raise UnknownError(f"the build context has no {name}")

    def _text(self, path: str) -> str:
        try:
            return (self._folder / path).read_text("utf-8", "replace")
        except OSError as error:
            raise UnknownError(f"{path} cannot be read: {error.strerror}") from None

    def project(self, named: str, *, dependencies: bool) -> Iterator[str]:
        """Yield what the project at the root of the context is built with, and what it needs.

        Args:
            named: As a command names it, for instance `.[web]`.
            dependencies: Whether these are installed with it.

        Raises:
            UnknownError: It does not say.
        """
        if "pyproject.toml" not in self._admitted:
            raise UnknownError(f"there is no pyproject.toml that would tell what {named} needs")
        try:
            told: dict[str, Any] = tomllib.loads(self._text("pyproject.toml"))
        except tomllib.TOMLDecodeError as error:
            raise UnknownError(f"pyproject.toml cannot be read: {error}") from None
        yield from map(checked, told.get("build-system", {}).get("requires", BACKEND))
        project = told.get("project", {})
        if dependencies and (not project or "dependencies" in project.get("dynamic", ())):
            raise UnknownError("pyproject.toml does not say its dependencies")
        if dependencies:
            yield from map(checked, project.get("dependencies", ()))
            match = PROJECT.fullmatch(named)
            for extra in filter(None, ((match and match["extras"]) or "").split(",")):
                yield from map(checked, project.get("optional-dependencies", {}).get(extra.strip(), ()))
