"""A lock -> its requirements: pip's requirements files with exact versions and hashes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from dockyard.audit.verdict import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.audit.read import TextFile

COMMENT = re.compile(r"(^|\s)#.*")
HASH = re.compile(r"\s--hash[=\s]\s*(\S+)")
STRONG = re.compile(r"sha(256|384|512):[0-9a-f]{64,}")
# Options of a whole file that take nothing from elsewhere.
HARMLESS = ("--require-hashes", "--only-binary", "--no-binary", "--prefer-binary", "--no-index", "--use-feature")
ELSEWHERE = re.compile(r"-[rcef]\b|--(requirement|constraint|editable|find-links)\b")


@dataclass(frozen=True, kw_only=True)
class Locked:
    """One line of a lock, continued lines joined.

    Attributes:
        name: Normalised; empty where the line is no requirement.
        version: Empty where none is pinned.
        fault: Why it does not lock anything; empty if it does.
    """

    text: str
    place: Place
    name: str = ""
    version: str = ""
    fault: str = ""
    requirement: Requirement | None = None

    def applies(self, environment: Mapping[str, str]) -> bool:
        """Whether its marker is true there."""
        marker = self.requirement.marker if self.requirement else None
        return marker is None or marker.evaluate(dict(environment))


def locked(lock: TextFile) -> Iterator[Locked]:
    """Yield the requirements of a lock, and every line that keeps it from being one."""
    for number, line in logical(lock.text):
        place = Place(subject=line.split(" ")[0][:80], file=lock.path, line=number)
        if line.startswith("-"):
            if ELSEWHERE.match(line):
                yield Locked(text=line, place=place, fault="takes what it names from elsewhere")
            elif not line.startswith((*HARMLESS, "-i", "--index-url", "--extra-index-url", "--trusted-host")):
                yield Locked(text=line, place=place, fault="is an option that is not known")
            continue
        yield _requirement(line, place)


def logical(text: str) -> Iterator[tuple[int, str]]:
    """Yield each logical line with the number of its first one; comments end at their own line, as pip has it."""
    parts: list[str] = []
    begun = 1
    for number, raw in enumerate([*text.splitlines(), ""], 1):
        begun = begun if parts else number
        continued = raw.endswith("\\") and not COMMENT.search(raw)
        parts.append(raw.removesuffix("\\") if continued else COMMENT.sub("", raw))
        if not continued:
            line = " ".join(" ".join(parts).split())
            parts = []
            if line:
                yield begun, line


def _requirement(line: str, place: Place) -> Locked:
    hashes = HASH.findall(f" {line}")
    text = HASH.sub("", f" {line}").strip()
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return Locked(text=text, place=place, fault="is no requirement with a version: a URL, a path or a mistake")
    name = str(canonicalize_name(requirement.name))
    pins = [each for each in requirement.specifier if each.operator in ("==", "===") and "*" not in each.version]
    exact = len(pins) == len(requirement.specifier) == 1
    faults = [
        "" if not requirement.url else "is a URL",
        "" if exact or requirement.url else "is not pinned with ==",
        "" if any(STRONG.fullmatch(each) for each in hashes) else "has no SHA-256 hash",
    ]
    return Locked(
        text=text,
        place=place,
        name=name,
        version=pins[0].version if exact else "",
        fault=" and ".join(filter(None, faults)),
        requirement=requirement,
    )


def same_version(one: str, other: str) -> bool:
    """Whether two versions are the same, however they are spelled."""
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other
