"""The reviewed file of pins: the digest of each base image, since when it is pinned, and what was in it then."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from dockyard.errors import SettingsError
from dockyard.state import write_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from dockyard.engines.facts import ImageFacts

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
HEAD = """\
# The base images that builds stand on, and what is in each. Written by `invoke pin`; read what a change of it says.
# A digest is that of the registry, for all of its platforms; the packages are those of the one that is named.
"""


@dataclass(frozen=True, kw_only=True)
class Pin:
    """One base image.

    Attributes:
        reference: Its name, for instance `python:3.12-slim-bookworm`; an assembled one's begins with its host.
        platform: Whose packages these are, for instance `linux/amd64`.
        platforms: All that the digest holds for; none where it is of one platform's image.
        digest: Of what the registry has under the name; of the image itself where it is assembled.
        contents: Of its layers and of what it runs, by which an image is known that was saved and loaded.
        pinned: When that was so, last.
        assembled: Whether it was assembled on a machine, and is so on that machine, or on one that is like it.
        unpublished: Whether no registry said so, but the engine that had it, which knows it by its name alone.
        system: For instance `debian 12.12`.
        python: For instance `3.12.12`.
        packages: A line each, for instance `deb libc6 2.36-9`.
    """

    reference: str
    platform: str
    platforms: tuple[str, ...] = ()
    digest: str
    contents: str
    pinned: date
    assembled: bool = False
    unpublished: bool = False
    system: str = ""
    python: str = ""
    packages: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What no two pins of a file have in common."""
        return self.reference, self.platform

    def fits(self, facts: ImageFacts) -> bool:
        """Whether an image is the pinned one: by its digest, or else to the bit by what is in it."""
        digests = {facts.digest, *(each.rpartition("@")[2] for each in facts.digests)}
        return self.digest in digests or bool(self.contents and self.contents == contents_of(facts))

    def age(self, today: date) -> int:
        """Return how many days ago that was so."""
        return (today - self.pinned).days


@dataclass(frozen=True, kw_only=True)
class Pinning:
    """What the settings say of pins.

    Attributes:
        file: Where they are.
        max_age: Days after which one is stale.
        required: Whether nothing is built on another base.
    """

    file: Path
    max_age: int
    required: bool = False


def today() -> date:
    """Return the day that pins are dated by."""
    return datetime.now(UTC).date()


def contents_of(facts: ImageFacts) -> str:
    """Return what tells an image from every other, whatever store it is in; empty where the engine names no layers."""
    if not facts.diff_ids:
        return ""
    told = json.dumps([facts.architecture, facts.diff_ids, facts.env, facts.user, facts.command])
    return f"sha256:{hashlib.sha256(told.encode()).hexdigest()}"


def find(pins: Iterable[Pin], reference: str, platform: str) -> Pin | None:
    """Return the pin of a base for a platform: the platform's own, else one whose digest holds for it too."""
    named = [each for each in pins if each.reference == reference]
    own = (each for each in named if each.platform == platform)
    others = (each for each in named if any(f"{one}/".startswith(f"{platform}/") for one in each.platforms))
    return next(own, None) or next(others, None)


def read(file: Path) -> tuple[Pin, ...]:
    """Return the pins of a file; none where there is no file.

    Raises:
        SettingsError: It cannot be read, or a pin of it is none.
    """
    try:
        return _pins(tomllib.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        why = f"{error}".rstrip(".")
        todo = "Take it back from version control, or remove it and run `invoke pin`."
        raise SettingsError(f"The pins in {file.name} cannot be read.", f"{file}: {why}.", todo) from None


def _pins(document: Mapping[str, Any]) -> tuple[Pin, ...]:
    """Read a file's document; a ValueError says what is wrong with it."""
    tables = document.get("base", [])
    if document.keys() - {"base"} or not (isinstance(tables, list) and all(isinstance(each, dict) for each in tables)):
        raise ValueError("it has something else than [[base]] tables")
    pins = tuple(map(_pin, tables))
    if len({each.key for each in pins}) < len(pins):
        raise ValueError("it pins a base twice")
    return pins


def _pin(table: Mapping[str, Any]) -> Pin:
    known = {each.name: each.type for each in fields(Pin)}
    wrong = [name for name, value in table.items() if not _is(known.get(name, ""), value)]
    missing = [name for name in ("reference", "platform", "digest", "contents", "pinned") if name not in table]
    if wrong or missing:
        raise ValueError(f"in the pin of {table.get('reference', 'no base')}, {', '.join([*wrong, *missing])} is wrong")
    if not DIGEST.fullmatch(table["digest"]):
        raise ValueError(f"the digest of {table['reference']} is none")
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in table.items()}
    return Pin(**values)


def _is(kind: object, value: Any) -> bool:
    """Whether a value is of the kind that a field of a pin is declared as."""
    if kind == "tuple[str, ...]":
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    # A date and a time is a date too, for Python.
    return type(value).__name__ == kind


def written(pins: Iterable[Pin]) -> str:
    """Return the file of some pins: sorted, a package a line, so that a change of it can be read."""
    tables = ("\n".join(_lines(each)) for each in sorted(pins, key=lambda pin: pin.key))
    return "\n\n".join([HEAD.rstrip("\n"), *tables]) + "\n"


def _lines(pin: Pin) -> Iterator[str]:
    yield "[[base]]"
    for each in fields(Pin):
        value = getattr(pin, each.name)
        if value == each.default:
            continue
        if isinstance(value, date):
            yield f"{each.name} = {value.isoformat()}"
        elif isinstance(value, tuple):
            yield f"{each.name} = ["
            yield from (f"    {_quoted(one)}," for one in value)
            yield "]"
        else:
            yield f"{each.name} = {_quoted(value)}"


def _quoted(value: str | bool) -> str:
    """Write a value as TOML has it, which differs from JSON in this one character alone."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def write(file: Path, pins: Iterable[Pin]) -> None:
    """Write a file of pins, whole or not at all.

    Raises:
        SettingsError: It cannot be written.
    """
    try:
        write_files({file: written(pins)})
    except OSError as error:
        raise SettingsError(
            f"The pins in {file.name} cannot be written.", f"{error}.", "Correct `file` in [tool.dockyard.pin]."
        ) from None
