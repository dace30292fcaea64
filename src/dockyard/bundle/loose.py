"""What a Dockerfile's commands install that no lock names: the lines that pip is asked for, as those commands do."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dockyard import context
from dockyard.audit.facts.installing import PIP, installing
from dockyard.bundle.locks import name_of
from dockyard.bundle.required import Sources, UnknownError, checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from dockyard.audit.facts.instructions import Command
    from dockyard.bundle.manifest import Member
    from dockyard.dockerfile import Dockerfile, Stage

# Options of pip and uv that say what is asked for, by the names that a requirements file has for them.
ASKS = {
    **dict.fromkeys(("-r", "--requirement", "--requirements"), "-r"),
    **dict.fromkeys(("-c", "--constraint", "--constraints"), "-c"),
    **dict.fromkeys(("-e", "--editable"), "-e"),
    **dict.fromkeys(("-i", "--index-url", "--default-index"), "--index-url"),
    **dict.fromkeys(("--extra-index-url", "--index"), "--extra-index-url"),
    "--trusted-host": "--trusted-host",
}
# Those with a word behind them that says nothing of it.
TAKES = frozenset({
    "-t", "--target", "--prefix", "--root", "--python", "-p", "--platform", "--python-version", "--python-platform",
    "--implementation", "--abi", "--src", "--cache-dir", "--timeout", "--retries", "--log", "--proxy", "--cert",
    "--client-cert", "--progress-bar", "--no-binary", "--only-binary", "--upgrade-strategy", "--use-feature", "-C",
    "--config-settings", "--link-mode", "--index-strategy", "--keyring-provider", "--resolution", "--prerelease",
    "--exclude-newer", "--root-user-action", "--report", "--color", "--allow-insecure-host", "-f", "--find-links",
})  # fmt: skip
# Commands with these take nothing from an index, or only what a lock names.
HELD = frozenset({"--require-hashes", "--no-index"})
ARCHIVES = (".whl", ".gz", ".zip", ".bz2")
REDIRECTION = re.compile(r"\d*[<>]&?(?P<target>.*)")
SHOWN = 80


@dataclass(frozen=True, kw_only=True)
class Loose:
    """One command that installs what no lock names.

    Attributes:
        command: For people.
        place: For instance `Dockerfile:7`.
        lines: What pip is to be asked for, as those of a requirements file.
        constraints: The lines of what it is held to.
        unknown: Why it cannot be said what it installs; empty if that can be.
    """

    command: str
    place: str
    lines: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    unknown: str = ""

    def unmet(self, wheels: Iterable[Member], environment: Mapping[str, str]) -> Iterator[str]:
        """Yield what it wants in an environment and no wheel is."""
        there = [name_of(each.file) for each in wheels]
        for line in self.lines:
            if line.startswith("-"):
                continue
            wanted = Requirement(line)
            name = canonicalize_name(wanted.name)
            applies = wanted.marker is None or wanted.marker.evaluate(dict(environment))
            if applies and not any(name == known and wanted.specifier.contains(has, True) for known, has in there):
                yield line


def loose_of(dockerfile: Dockerfile, target: Stage, folder: Path, file: Path) -> tuple[Loose, ...]:
    """Return what the commands of a build install without a lock.

    Args:
        dockerfile: Read.
        target: The stage that is built.
        folder: The build context.
        file: The Dockerfile, whose .dockerignore counts.
    """
    steps = [each for stage in dockerfile.needed(target) for each in stage.instructions]
    found = [
        (command, f"{dockerfile.name}:{each.line}")
        for each in steps
        for commands in installing(each).values()
        for command in commands
        if not HELD & set(command)
    ]
    sources = Sources(folder, tuple(context.files(folder, context.effective(folder, file))) if found else ())
    asked = (_asked(command, place, sources) for command, place in found)
    return tuple(each for each in asked if each.unknown or any(not line.startswith("-") for line in each.lines))


def _asked(command: Command, place: str, sources: Sources) -> Loose:
    """Return what one command asks for."""
    lines: list[str] = []
    constraints: list[str] = []
    told = " ".join(command)
    shown = told if len(told) <= SHOWN else f"{told[: SHOWN - 1]}…"
    try:
        for option, value in _options(_arguments(command)):
            if option == "-c":
                constraints += sources.file(value)
            elif option == "-r":
                lines += sources.file(value)
            elif option.startswith("--"):
                lines.append(f"{option} {value}".strip())
            else:
                lines += _named(value, sources, dependencies="--no-deps" not in command)
    except UnknownError as error:
        return Loose(command=shown, place=place, unknown=str(error))
    return Loose(command=shown, place=place, lines=tuple(lines), constraints=tuple(constraints))


def _arguments(command: Command) -> list[str]:
    """Return the words behind `install` of pip, or of uv's pip, without what is the shell's."""
    names = [posixpath.basename(each) for each in command]
    if "install" not in names or not any(PIP.fullmatch(each) for each in names):
        raise UnknownError("only what pip or `uv pip` installs from requirements can be packed")
    words: list[str] = []
    rest = list(command[names.index("install") + 1 :])
    while rest:
        word = rest.pop(0)
        redirection = REDIRECTION.fullmatch(word)
        if redirection is None:
            words.append(word)
        elif not redirection["target"]:
            del rest[:1]
    return words


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """Yield what a command asks for: the option, which is empty for what is named itself, and its value."""
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if word[:2] in ("-r", "-c", "-e", "-i") and word[2:]:
            name, equals, value = word[:2], "=", word[2:]
        if (name in ASKS or name in TAKES) and not equals:
            value = words.pop(0) if words else ""
        if name not in TAKES and "$" in f"{name}{value}":
            raise UnknownError("it names a variable")
        if name in ASKS:
            yield ASKS[name], value
        elif name == "--pre":
            yield name, ""
        elif not name.startswith("-"):
            yield "", word


def _named(word: str, sources: Sources, *, dependencies: bool) -> Iterator[str]:
    """Yield what is asked for by a word: a requirement, a project of the context, or a file."""
    if "://" in word or (dependencies and word.endswith(ARCHIVES)):
        raise UnknownError(f"{word} is a file, and what it needs is not known")
    if word.startswith(".") or "/" in word:
        yield from () if word.endswith(ARCHIVES) else sources.project(word, dependencies=dependencies)
    elif not word.endswith(ARCHIVES):
        yield checked(word)
