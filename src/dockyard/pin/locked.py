"""A lock of requirements as it is written: each distribution, its version, the hashes of its files."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.utils import canonicalize_name

REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*(?:==\s*([^\s;]+)|@)?")
HASH = re.compile(r"--hash=(\S+)")


@dataclass(frozen=True, kw_only=True)
class Locked:
    """One requirement; the version is empty where it is not exact."""

    name: str
    version: str
    hashes: frozenset[str]


def read(text: str) -> tuple[Locked, ...]:
    """Return what a lock has; one distribution may be there in several versions, for several Pythons."""
    joined = re.sub(r"\\\r?\n", " ", text)
    lines = (line.strip() for line in joined.splitlines())
    found = [(REQUIREMENT.match(line), line) for line in lines if line and not line.startswith(("#", "-"))]
    return tuple(
        Locked(name=str(canonicalize_name(each[1])), version=each[2] or "", hashes=frozenset(HASH.findall(line)))
        for each, line in found
        if each
    )
