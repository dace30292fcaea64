"""Folder + .dockerignore -> what a build can copy; and the files that a sceptic plants to see whether they arrive."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.engines.dockerignore import Pattern, read_pattern
from dockyard.engines.wildcards import wildcard
from dockyard.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

CANARY = "dockyard-canary-5d1c9e7a"
# At the root and deeper: what holds a secret by its name.
CANARIES = (
    *(".env", ".env.prod", ".env.local", "prod.env", ".envrc", "config/.env", "config/.env.prod", "config/prod.env"),
    *("src/deep/er/.env", "src/deep/er/.env.prod", "src/deep/er/.envrc", "src/deep/er/prod.env"),
    *("id_rsa", "id_ed25519", ".ssh/id_ed25519", "config/id_rsa"),
    *("key.pem", "config/tls/key.pem", "src/deep/er/server.key"),
    *(".git/config", ".git/HEAD", ".gitconfig", ".git-credentials", "src/deep/er/.git/config"),
    *(".pypirc", ".netrc", ".npmrc", "pip.conf", "config/.pypirc", "config/.netrc", "src/deep/er/.netrc"),
    *(".aws/credentials", "config/.aws/credentials", ".docker/config.json", ".kube/config", "kubeconfig"),
    *("secrets.toml", "config/secrets.yaml", "service-account.json", ".htpasswd", "dump.sql", "config/backup.sqlite"),
    *(".dockyard/builds/record.json", ".venv/pyvenv.cfg", "src/__pycache__/module.pyc", "logs/service.log"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Ignore:
    """What is kept from a build.

    Attributes:
        file: Where it is said, or None if nowhere: then everything is admitted.
        patterns: In their order; a later one beats an earlier one.
    """

    file: Path | None = None
    patterns: tuple[Pattern, ...] = ()

    def admits(self, path: str) -> bool:
        """Whether a path below the context, with slashes, can be copied."""
        pattern = self.deciding(path)
        return pattern is None or pattern.exception

    def deciding(self, path: str) -> Pattern | None:
        """Return the pattern that decides about a path; None if none matches it or a folder above it."""
        matched: tuple[bool, ...] = ()
        pattern = None
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            pattern, matched = self.decide("/".join(parts[:depth]), matched)
        return pattern

    def decide(self, path: str, above: tuple[bool, ...]) -> tuple[Pattern | None, tuple[bool, ...]]:
        """Return the pattern that decides about a path, given which ones matched the folder above it, and which match.

        A pattern that could change nothing is not asked, and so does not count for what is below: BuildKit does it so.
        """
        deciding = None
        matched = []
        for index, pattern in enumerate(self.patterns):
            excluded = deciding is not None and not deciding.exception
            match = bool(above) and above[index]
            match = match or (pattern.exception == excluded and pattern.matches(path))
            deciding = pattern if match else deciding
            matched.append(match)
        return deciding, tuple(matched)


def effective(context: Path, dockerfile: Path) -> Ignore:
    """Read the .dockerignore of a build: the one beside the Dockerfile that has its name, or else the root's.

    Raises:
        SettingsError: A pattern is none, or the file cannot be read.
    """
    for file in (dockerfile.with_name(f"{dockerfile.name}.dockerignore"), context / ".dockerignore"):
        try:
            text = file.read_text("utf-8-sig", "surrogateescape")
        except FileNotFoundError:
            continue
        except OSError as error:
            raise SettingsError(f"{file} cannot be read.", str(error), "Make it a file that you can read.") from None
        return Ignore(file=file, patterns=tuple(_patterns(file, text)))
    return Ignore()


def _patterns(file: Path, text: str) -> Iterator[Pattern]:
    for number, line in enumerate(text.split("\n"), 1):
        try:
            pattern = read_pattern(line, number)
        except ValueError as error:
            raise SettingsError(
                f"{file.name}:{number} is no pattern: {line.strip()}", str(error), f"Mend line {number} of {file}."
            ) from None
        if pattern:
            yield pattern


def files(context: Path, ignore: Ignore) -> Iterator[str]:
    """Yield the files that a build can copy, links too, sorted, as paths below the context with slashes.

    A folder that is excluded is looked into only if an exception may match something in it; links are not followed.
    """
    yield from sorted(_below(context, ignore))


def _below(context: Path, ignore: Ignore) -> Iterator[str]:
    waiting: list[tuple[str, tuple[bool, ...]]] = [("", ())]
    while waiting:
        folder, above = waiting.pop()
        with os.scandir(context / folder) as entries:
            for entry in entries:
                path = f"{folder}{entry.name}"
                deciding, matched = ignore.decide(path, above)
                admitted = deciding is None or deciding.exception
                if entry.is_dir(follow_symlinks=False):
                    if admitted or any(each.exception and each.reaches_below(path) for each in ignore.patterns):
                        waiting.append((f"{path}/", matched))
                elif admitted:
                    yield path


def brings(source: str, name: str) -> bool:
    """Whether a source of COPY names a file of the context, or a folder above it; a wildcard stays within its part."""
    wanted = [each for each in posixpath.normpath(f"/{source}").split("/") if each]
    parts = name.split("/")
    return len(wanted) <= len(parts) and all(
        wildcard(each).fullmatch(part) for each, part in zip(wanted, parts, strict=False)
    )


def plant(folder: Path, names: Iterable[str] = CANARIES) -> tuple[str, ...]:
    """Write files that hold CANARY and their own name, and return those: one that is there already is left alone."""
    planted = []
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8") as stream:
                stream.write(f"{CANARY} {name}\n")
        except FileExistsError:
            continue
        planted.append(name)
    return tuple(planted)
