"""Commands of a Dockerfile that install Python packages, and whether each takes only what a lock names by hash."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.audit.facts.instructions import commands, on

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dockyard.audit.verdict import Place
    from dockyard.dockerfile import Dockerfile

PIP = re.compile(r"pip[\d.]*")
PYTHON = re.compile(r"python[\d.]*|pypy[\d.]*")
FETCHES = frozenset({"install", "sync", "download", "wheel"})
ON = ("1", "true", "yes", "on", "y", "t")
# Tools that know no hashes at all, or are told a name in place of a lock.
UNLOCKED = {
    ("uv", "tool"), ("uv", "add"), ("pipx", "install"), ("poetry", "add"), ("pipenv", "install"),
    ("conda", "install"), ("mamba", "install"), ("easy_install", ""), ("pdm", "add"),
}  # fmt: skip
# Tools that install their own lock, which holds hashes; None asks for no option.
LOCKS: dict[tuple[str, str], tuple[str, ...] | None] = {
    ("uv", "sync"): ("--locked", "--frozen"),
    ("poetry", "install"): None,
    ("poetry", "sync"): None,
    ("pipenv", "sync"): None,
    ("pdm", "install"): ("--frozen-lockfile", "--check"),
    ("pdm", "sync"): None,
}
VARIABLES = {"--locked": "UV_LOCKED", "--frozen": "UV_FROZEN"}


@dataclass(frozen=True, kw_only=True)
class Install:
    """One command, for people; `fault` is empty if it can install nothing but what is locked."""

    command: str
    fault: str
    place: Place


def installs(dockerfile: Dockerfile) -> Iterator[Install]:
    """Yield every command of every stage that installs Python packages."""
    for stage in dockerfile.stages:
        variables: dict[str, str] = {}
        for instruction in dockerfile.lineage(stage):
            if instruction.keyword in ("ENV", "ARG"):
                variables |= {name: value or "" for name, value in instruction.pairs.items()}
            if instruction.keyword != "RUN" or instruction.stage != stage.index:
                continue
            given = variables | dict(re.findall(r"\b((?:PIP|UV)_[A-Z_]+)=(\w+)", instruction.text))
            for words in commands(instruction):
                found = _install(words, given)
                if found is not None:
                    command = " ".join(words)
                    yield Install(command=command[:100], fault=found, place=on(dockerfile, instruction))


def _install(words: Sequence[str], variables: Mapping[str, str]) -> str | None:
    """Return why a command is not held to a lock, an empty text if it is, or None if it installs no packages."""
    for at, word in enumerate(words):
        name = posixpath.basename(word)
        rest = [each for each in words[at + 1 :] if not each.startswith("-")]
        verb = rest[0] if rest else ""
        if PIP.fullmatch(name) and FETCHES & set(rest):
            return _pip(words, variables)
        if name == "pip-sync":
            return _pip(words, variables)
        if (name, verb) in LOCKS:
            return _own_lock(name, verb, words, variables)
        if (name, verb) in UNLOCKED or (name, "") in UNLOCKED:
            return f"{name} {verb}".strip() + " takes what no lock holds"
        if PYTHON.fullmatch(name) and verb.endswith("setup.py") and {"install", "develop"} & set(words[at:]):
            return "setup.py takes what no lock holds"
    return None


def _pip(words: Sequence[str], variables: Mapping[str, str]) -> str:
    flags = {word.partition("=")[0] for word in words}
    required = any(variables.get(name, "").lower() in ON for name in ("PIP_REQUIRE_HASHES", "UV_REQUIRE_HASHES"))
    nothing_is_fetched = "--no-index" in flags or {"--no-deps", "--no-build-isolation"} <= flags
    only_wheels = "--no-deps" in flags and _local_wheels(words)
    if "--require-hashes" in flags or required or nothing_is_fetched or only_wheels:
        return ""
    return "no --require-hashes"


def _local_wheels(words: Sequence[str]) -> bool:
    """Whether all that is installed are wheels of the build's own files."""
    named = (
        [word for word in words[words.index("install") + 1 :] if not word.startswith("-")] if "install" in words else []
    )
    return bool(named) and all(word.endswith(".whl") and "://" not in word for word in named)


def _own_lock(name: str, verb: str, words: Sequence[str], variables: Mapping[str, str]) -> str:
    options = LOCKS[name, verb]
    if options is None or set(options) & set(words):
        return ""
    if any(variables.get(VARIABLES.get(option, ""), "").lower() in ON for option in options):
        return ""
    return f"neither {' nor '.join(options)}"
