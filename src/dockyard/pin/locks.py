"""Requirements locks, compiled anew with uv: hashed, for every Python, of versions that have been out for some days."""

from __future__ import annotations

import importlib.util
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard import sbom
from dockyard.engines import process
from dockyard.errors import EngineError, SettingsError
from dockyard.pin.locked import Locked, read
from dockyard.state import write_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

COMMON = (
    *("pip", "compile", "--quiet", "--upgrade", "--universal", "--generate-hashes"),
    *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
)
OWN = "."
SECONDS = 600
TOLD = 12


@dataclass(frozen=True, kw_only=True)
class LockFile:
    """A lock to compile.

    Attributes:
        name: From the project's root.
        groups: Dependency groups of pyproject.toml; `.` is the project itself.
    """

    name: str
    groups: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """A lock that was compiled anew.

    Attributes:
        name: From the project's root.
        text: What it is now.
        differs: Whether that is not what it was, to the byte.
        changes: Distributions that came, went and changed.
        files: Of distributions that are as they were, those whose files are not: how many hashes came, how many went.
    """

    name: str
    text: str
    differs: bool
    changes: sbom.Comparison
    files: Mapping[str, tuple[int, int]]


def compile_locks(
    root: Path,
    locks: Sequence[LockFile],
    *,
    python: str,
    before: datetime | None,
    environment: Mapping[str, str],
) -> tuple[Compiled, ...]:
    """Compile locks, and return what they are now; nothing in the project is changed.

    Args:
        root: The project.
        locks: Which.
        python: The oldest one that they must hold for.
        before: Nothing is taken that was uploaded later; None takes all.
        environment: Variables for uv on top of ours.

    Raises:
        EngineError: There is no uv, or it cannot do it.
        SettingsError: A lock is none.
    """
    uv = _uv()
    compiled = []
    for lock in locks:
        with tempfile.TemporaryDirectory(prefix="dockyard-") as folder:
            target = Path(folder, "lock.txt")
            command = [*uv, *arguments(root, lock, target, python=python, before=before)]
            done = process.run(command, timeout=SECONDS, environment=environment)
            if not (done.ok and target.is_file()):
                raise EngineError(
                    f"{lock.name} could not be compiled, so no lock was changed.",
                    _cause(done),
                    "Look whether the package index answers and tells when files were uploaded; "
                    "`--cooldown 0` does not ask for that.",
                )
            text = target.read_text("utf-8")
        compiled.append(_compared(root, lock, text))
    return tuple(compiled)


def write_locks(root: Path, compiled: Sequence[Compiled]) -> None:
    """Write locks that are not as they were, all of them or none.

    Raises:
        SettingsError: One cannot be written.
    """
    try:
        write_files({root / each.name: each.text for each in compiled if each.differs})
    except OSError as error:
        raise SettingsError(
            "The locks cannot be written, and are as they were.", f"{error}.", "Correct `locks` in [tool.dockyard.pin]."
        ) from None


def arguments(root: Path, lock: LockFile, target: Path, *, python: str, before: datetime | None) -> list[str]:
    """Return what uv is called with."""
    project = root / "pyproject.toml"
    sources = [word for each in lock.groups if each != OWN for word in ("--group", f"{project}:{each}")]
    return [
        *COMMON,
        *("--python-version", python),
        *(("--exclude-newer", before.strftime("%Y-%m-%dT%H:%M:%SZ")) if before else ()),
        *("--output-file", str(target)),
        *sources,
        *([str(project)] if OWN in lock.groups else []),
    ]


def _uv() -> list[str]:
    """Return how uv is called: that of our own environment, else the one on PATH.

    Raises:
        EngineError: There is neither.
    """
    if importlib.util.find_spec("uv"):
        return [sys.executable, "-m", "uv"]
    found = process.find("uv")
    if found is None:
        raise EngineError(
            "Locks are compiled with uv, and there is none here.",
            "It is neither in the environment of dockyard, which installs it, nor on PATH.",
            "Run `python -m pip install uv`.",
        )
    return [found]


def _cause(done: process.Completed) -> str:
    """Return what uv said of its failure, without warnings, drawing and passwords."""
    lines = [re.sub(r"^[^\w`]+", "", line) for line in done.error.splitlines()]
    told = [line for line in lines if line and not line.startswith("warning:")][:TOLD] or [done.last_line]
    return re.sub(r"://[^/@\s]+@", "://[REDACTED]@", "\n".join(told))


def _compared(root: Path, lock: LockFile, text: str) -> Compiled:
    path = root / lock.name
    old = path.read_text("utf-8") if path.is_file() else ""
    before, after = read(old), read(text)
    bare = [each.name for each in after if not each.hashes]
    if bare:
        raise SettingsError(
            f"{lock.name} would lock without hashes, so no lock was changed.",
            f"These have none: {', '.join(bare)}.",
            "Take them from a package index: a path or a repository cannot be locked.",
        )
    changes = sbom.compare(map(_listed, before), map(_listed, after), reference=lock.name)
    return Compiled(name=lock.name, text=text, differs=text != old, changes=changes, files=_files(before, after))


def _listed(each: Locked) -> sbom.Listed:
    return sbom.Listed("pypi", each.name, each.version)


def _files(before: Sequence[Locked], after: Sequence[Locked]) -> dict[str, tuple[int, int]]:
    """Return the distributions of the same version whose files changed: hashes that came, and that went."""
    old = {(each.name, each.version): each.hashes for each in before}
    both = ((each, old[each.name, each.version]) for each in after if (each.name, each.version) in old)
    return {
        f"{each.name} {each.version}": (len(each.hashes - known), len(known - each.hashes))
        for each, known in both
        if each.hashes != known
    }
