"""Which RUN instructions install Python packages, with what, and where that keeps what it has downloaded."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from dockyard.audit.facts.instructions import commands

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.audit.facts.instructions import Command
    from dockyard.dockerfile import Dockerfile, Instruction, Stage

PIP = re.compile(r"pip(\d(\.\d+)?)?")
VERBS = {
    "pip": frozenset({"install", "download", "wheel"}),
    "uv": frozenset({"pip", "sync", "add", "tool"}),
    "poetry": frozenset({"install", "add", "update", "sync"}),
}
# Tool to the variable that names its cache, and its folder below that of all caches.
CACHES = {
    "pip": ("PIP_CACHE_DIR", "pip"),
    "uv": ("UV_CACHE_DIR", "uv"),
    "poetry": ("POETRY_CACHE_DIR", "pypoetry"),
}
ROOT = ("", "0", "root")
TALKING = frozenset({"echo", "printf", "cat", "rm", "ls", "find", "test", "["})
ASSIGNED = re.compile(r"(?<![\w$])([A-Za-z_]\w*)=(\"[^\"]*\"|'[^']*'|[^\s;&|]*)")


def installing(instruction: Instruction) -> dict[str, tuple[Command, ...]]:
    """Return the tools with which a RUN instruction installs Python packages, each with its commands."""
    found: dict[str, tuple[Command, ...]] = {}
    if instruction.keyword == "RUN":
        for words in commands(instruction):
            tool = _tool(words)
            if tool:
                found[tool] = (*found.get(tool, ()), words)
    return found


def _tool(words: Command) -> str:
    """Return the tool that a command installs with, itself or through another program; empty if with none."""
    if not words or posixpath.basename(words[0]) in TALKING:
        return ""
    for at, word in enumerate(words):
        name = "pip" if PIP.fullmatch(posixpath.basename(word)) else posixpath.basename(word)
        if name in VERBS:
            verb = next((each for each in words[at + 1 :] if not each.startswith("-")), "")
            return name if verb in VERBS[name] else ""
    return ""


def installers(dockerfile: Dockerfile) -> tuple[Instruction, ...]:
    """Return the RUN instructions that install Python packages, of all stages."""
    return tuple(each for each in dockerfile.instructions if installing(each))


def folders(tool: str, instruction: Instruction, stage: Stage) -> tuple[str, ...]:
    """Return the folders in one of which a tool keeps its cache when an instruction runs it."""
    variable, name = CACHES[tool]
    user, known = "", dict[str, str]()
    for each in stage.instructions:
        if each.line >= instruction.line:
            break
        if each.keyword in ("ENV", "ARG"):
            known |= {key: value for key, value in each.pairs.items() if value is not None}
        elif each.keyword == "USER":
            user = (each.expanded or each.words or ("",))[0].partition(":")[0]
    known |= assigned(instruction)
    if known.get(variable):
        return (known[variable],)
    if known.get("XDG_CACHE_HOME"):
        return (posixpath.join(known["XDG_CACHE_HOME"], name),)
    homes = ("/root",) if user in ROOT else (f"/home/{user}", "")
    return tuple(f"{home}/.cache/{name}" for home in ([known["HOME"]] if known.get("HOME") else homes))


def assigned(instruction: Instruction) -> Mapping[str, str]:
    """Return the variables that a RUN instruction sets for its own commands."""
    return {name: value.strip("\"'") for name, value in ASSIGNED.findall(instruction.arguments)}
