"""Requires-Dist, resolved to what is installed beside: markers evaluated, extras followed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.markers import UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MACHINES = {"amd64": "x86_64", "arm64": "aarch64", "386": "i686", "arm": "armv7l"}
OF_PYTHON = re.compile(r".*/python(\d\.\d+)/.*", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Installed:
    """A distribution as others look for it.

    Attributes:
        name: As indexes compare names.
        requires: Its Requires-Dist.
    """

    ref: str
    name: str
    place: str
    requires: tuple[str, ...]


def resolved(installed: Sequence[Installed], architecture: str) -> dict[str, tuple[str, ...]]:
    """Return, by `ref`, the `ref` of each distribution that is required and there.

    What is only required with an extra counts where another one asks for that extra. A requirement is looked for in the
    folder of who has it.
    """
    there = {(each.place, each.name): each for each in reversed(installed)}
    needs: dict[str, set[str]] = {each.ref: set() for each in installed}
    waiting = [(each, "") for each in installed]
    seen = set(waiting)
    while waiting:
        one, extra = waiting.pop()
        for wanted in _wanted(one, extra, architecture):
            other = there.get((one.place, str(canonicalize_name(wanted.name))))
            if other is None:
                continue
            if other.ref != one.ref:
                needs[one.ref].add(other.ref)
            asked = {(other, str(canonicalize_name(name))) for name in wanted.extras} - seen
            seen |= asked
            waiting += asked
    return {ref: tuple(sorted(found)) for ref, found in needs.items()}


def _wanted(one: Installed, extra: str, architecture: str) -> Iterator[Requirement]:
    """Yield the requirements that hold on the image's Python, those of an extra or those of none."""
    environment = {**_environment(one.place, architecture), "extra": extra}
    for line in one.requires:
        try:
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate(environment):
                yield wanted
        except (InvalidRequirement, UndefinedEnvironmentName):
            continue


def _environment(place: str, architecture: str) -> Mapping[str, str]:
    """Return what markers are evaluated with; the folder's name says which Python it is."""
    found = OF_PYTHON.fullmatch(f"{place}/")
    version = found[1] if found else "3.12"
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{version}.0",
        "os_name": "posix",
        "platform_machine": MACHINES.get(architecture, architecture),
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{version}.0",
        "python_version": version,
        "sys_platform": "linux",
    }
