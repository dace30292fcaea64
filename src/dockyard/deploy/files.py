"""Written files that tell whether a person has edited them since: those are neither overwritten nor removed."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import yaml

from dockyard.errors import DeployError, EngineError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dockyard.deploy.targets import Target

State = Literal["unchanged", "missing", "changed", "edited", "left over"]

HEAD = "# Written by `invoke deploy` from [tool.dockyard] in pyproject.toml: change it there, not here.\n"
SEAL = re.compile(r"# seal: ([0-9a-f]{64})\n")
IMAGE = re.compile(r"^\s+(?:- )?image: (.+)$", re.MULTILINE)
# Of a difference, in lines.
SHOWN = 40


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A file beside what it should be.

    Attributes:
        path: Below the folder of deployments.
        text: What it should hold, sealed; empty for one that should not be.
        diff: Lines of a unified difference, the first of them.
    """

    path: str
    state: State
    text: str = ""
    diff: tuple[str, ...] = ()


def seal(text: str) -> str:
    """Return a text below a head that tells whether anybody has changed it since."""
    return f"{HEAD}# seal: {hashlib.sha256(text.encode()).hexdigest()}\n{text}"


def sealed(text: str) -> bool:
    """Whether a file is as it was written."""
    found = SEAL.match(text, len(HEAD)) if text.startswith(HEAD) else None
    return found is not None and hashlib.sha256(text[found.end() :].encode()).hexdigest() == found[1]


def compare(folder: Path, target: Target, wanted: Mapping[str, str]) -> tuple[Comparison, ...]:
    """Hold what is in the folder against what should be.

    Raises:
        SettingsError: A file cannot be read.
    """
    found = [_compare(folder / path, path, seal(text)) for path, text in wanted.items()]
    there = {path for pattern in target.owns for path in folder.glob(pattern)}
    others = sorted(there - {folder / each for each in wanted})
    names = (path.relative_to(folder).as_posix() for path in others if sealed(_read(path) or ""))
    return (*found, *(Comparison(path=name, state="left over") for name in names))


def image_of(folder: Path, target: Target) -> str:
    """Return the image that the written files name; empty if there is none."""
    found = IMAGE.search(_read(folder / target.main) or "")
    return str(yaml.safe_load(found[1])) if found else ""


def write(folder: Path, compared: tuple[Comparison, ...], *, force: bool) -> None:
    """Make the folder what it should be; each file is replaced whole, and all of them only if none was edited.

    Raises:
        DeployError: A person has edited a file.
        EngineError: The folder cannot be written.
    """
    edited = [each for each in compared if each.state == "edited"]
    if edited and not force:
        names = ", ".join(f"{folder.name}/{each.path}" for each in edited)
        raise DeployError(
            f"{names} {'was' if len(edited) == 1 else 'were'} edited by hand, so nothing was written.",
            "What was changed there would be lost.",
            "Say it in [tool.dockyard] or in a Kustomize overlay of your own; or overwrite it with `--force`.",
        )
    for each in compared:
        path = folder / each.path
        try:
            if each.state == "left over":
                path.unlink()
                # An overlay's folder was made for it.
                with suppress(OSError):
                    path.parent.rmdir()
            elif each.state != "unchanged":
                _replace(path, each.text)
        except OSError as error:
            raise EngineError(f"{path} cannot be written.", str(error), "Make that folder writable for you.") from error


def require_current(compared: tuple[Comparison, ...], target: str) -> None:
    """Raise DeployError unless every file is as it should be."""
    stale = [each for each in compared if each.state != "unchanged"]
    if stale:
        raise DeployError(
            "The written files are not what the settings say.",
            ", ".join(f"{each.path}: {each.state}" for each in stale),
            f"Write them anew with `invoke deploy --to {target}`, and look at what changes.",
        )


def _compare(path: Path, name: str, wanted: str) -> Comparison:
    found = _read(path)
    if found is None:
        return Comparison(path=name, state="missing", text=wanted)
    if found == wanted:
        return Comparison(path=name, state="unchanged", text=wanted)
    # The seals differ whenever anything does, and tell nobody anything.
    before, after = (SEAL.sub("", text).splitlines() for text in (found, wanted))
    shown = list(difflib.unified_diff(before, after, f"{name}, found", f"{name}, wanted", n=1, lineterm=""))
    rest = [f"… {len(shown) - SHOWN} lines more"] if len(shown) > SHOWN else []
    state: State = "changed" if sealed(found) else "edited"
    return Comparison(path=name, state=state, text=wanted, diff=(*shown[:SHOWN], *rest))


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read.", str(error), "Move it away, or make it readable.") from error


def _replace(path: Path, text: str) -> None:
    """Put a file in another's place; a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as stream:
            stream.write(text)
        half.replace(path)
    finally:
        with suppress(OSError):
            half.unlink()
