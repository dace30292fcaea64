"""An instruction and what it sees -> what BuildKit's cache key of its step is made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dockyard.build.marked import secret_of
from dockyard.dockerfile.heredoc import opening
from dockyard.explain.selection import EVERYTHING, PIVOT, cleaned, selected, split
from dockyard.settings.fields import SECRET_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dockyard.dockerfile import Instruction, Mount
    from dockyard.explain.entries import Taken
    from dockyard.explain.files import Context
    from dockyard.explain.scopes import Scope
    from dockyard.explain.selection import Selection

VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)")
REMOTE = re.compile(r"(?:https?|ssh)://|git@|git://")
MOST_TOUCHED = 5


class Reader:
    """Reads the instructions of one build.

    Args:
        files: What the build can copy.
        salted: Makes of a value what it can be recognised by; values whose name sounds like a secret's are kept so.
        marks: Secret id to what the build puts into the keys of the steps that mount it.

    Attributes:
        taken: Every set of files that an instruction takes.
    """

    def __init__(self, files: Context, salted: Callable[[bytes], str], marks: Mapping[str, str]) -> None:
        self._files = files
        self._salted = salted
        self._marks = marks
        self.taken: list[Taken] = []

    def read(self, instruction: Instruction, scope: Scope) -> dict[str, Any]:
        """Return the fields of a step: `text`, `parts`, `told`, `apart`, and the names it takes files `from`."""
        values = {name: [self._value(name, value.value), *value[1:]] for name, value in scope.variables.items()}
        match instruction.keyword:
            case "RUN":
                parts, told, names = self._run(instruction, scope)
            case "WORKDIR":
                # The folder is made for the user.
                parts, told, names = {"folder": scope.folder, "user": scope.user}, {"user_line": scope.user_line}, []
            case _:
                parts, told, names = self._copy(instruction, scope)
        if instruction.keyword != "RUN":
            used = set(VARIABLE.findall(instruction.raw))
            values = {name: value for name, value in values.items() if name in used}
        return {
            "text": _text(instruction),
            "parts": parts,
            "told": {**told, "values": values},
            "loose": any(each.type in ("secret", "ssh") for each in instruction.mounts),
            "apart": instruction.flag("link") == "true",
            "from": names,
        }

    def _value(self, name: str, value: str) -> str:
        hidden = SECRET_NAME.search(name) and not name.endswith("_FILE")
        return self._salted(value.encode("utf-8", "surrogateescape")) if hidden else value

    def _run(self, instruction: Instruction, scope: Scope) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
        command: list[Any] = [list(instruction.words)]
        if instruction.form != "exec":
            command = [list(scope.shell), *_command(instruction)]
        mounts = sorted((_mount(each) for each in instruction.mounts), key=lambda each: str(each["target"]))
        parts: dict[str, Any] = {
            "command": command,
            "variables": [f"{name}={self._value(name, value.value)}" for name, value in scope.variables.items()],
            "user": scope.user,
            "folder": scope.folder,
            "mounts": mounts,
            "flags": [f"{each.name}={each.value}" for each in instruction.flags if each.name != "mount"],
        }
        mounted = sorted(secret_of(each) for each in instruction.mounts if each.type == "secret")
        marks = {name: self._marks[name] for name in mounted if name in self._marks}
        if marks:
            parts["marks"] = marks
        binds = [each for each in instruction.mounts if each.type == "bind" and not each.from_]
        told: dict[str, Any] = {
            "shell": list(scope.shell),
            "user_line": scope.user_line,
            "caches": [[each.id, each.sharing] for each in instruction.mounts if each.type == "cache"],
            "secrets": mounted,
        }
        self._take([(each.source, EVERYTHING) for each in binds], parts, told)
        return parts, told, [each.from_ for each in instruction.mounts if each.from_]

    def _copy(self, instruction: Instruction, scope: Scope) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
        *sources, target = instruction.expanded
        named = instruction.flag("from")
        plain = [each for each in sources if not opening(each) and not REMOTE.match(each)]
        remote = [each for each in sources if REMOTE.match(each)]
        exclude = [each.value for each in instruction.flags if each.name == "exclude"]
        parents = (instruction.flag("parents") or "").lower() == "true"
        parts: dict[str, Any] = {
            "sources": [_named(each, parents=parents) for each in sources if not opening(each)],
            "target": _target(target, scope.folder),
            "flags": [
                f"{each.name}={each.value}"
                # The order of several --exclude counts.
                for each in sorted(instruction.flags, key=lambda each: each.name)
                if each.name not in ("from", "link")
            ],
            "bodies": [[each.name, each.expanded] for each in instruction.heredocs],
        }
        told: dict[str, Any] = {"remote": remote}
        if named is None:
            self._take([selected(each, exclude, parents=parents) for each in plain], parts, told)
        return parts, told, [named] if named else []

    def _take(self, sources: list[tuple[str, Selection]], parts: dict[str, Any], told: dict[str, Any]) -> None:
        """Note the files that an instruction takes from the context."""
        taken = [self._files.take(source, selection) for source, selection in sources]
        self.taken += taken
        parts["files"] = [each.digest for each in taken]
        told["folders"] = [each.folders for each in taken]
        touched = [name for each in taken for name in self._files.touched(each)]
        told["touched"] = touched[:MOST_TOUCHED]


def _text(instruction: Instruction) -> str:
    """Return an instruction's text with its blanks made uniform, its heredocs included."""
    bodies = "".join(f"\n{each.body}" for each in instruction.heredocs)
    return " ".join(instruction.text.split()) + bodies


def _command(instruction: Instruction) -> Iterator[str]:
    """Yield what the shell gets; a heredoc that is the whole command is run without its name."""
    bodies = [each.body for each in instruction.heredocs]
    if not (bodies and opening(instruction.arguments) and not bodies[0].startswith("#!")):
        yield instruction.arguments
    yield from bodies


def _mount(mount: Mount) -> dict[str, Any]:
    """Return what counts of a mount: neither a secret's value, nor a cache's name, sharing or content."""
    told = {name: getattr(mount, name) for name in ("type", "target", "source")}
    named = {} if mount.type == "cache" else {"id": mount.id}
    return {**told, **named, **mount.options, "from": bool(mount.from_)}


def _named(source: str, *, parents: bool) -> str:
    """Return a source without what changes nothing in it; where --parents begins to keep folders is no such thing."""
    if REMOTE.match(source):
        return source
    return PIVOT.join(split(source)) if parents and PIVOT in source else cleaned(source)


def _target(target: str, folder: str) -> str:
    """Return where a copy goes, from the root; a slash at its end means a folder."""
    whole = target if target.startswith("/") else f"{folder.rstrip('/')}/{target}"
    is_folder = target == "." or target.endswith(("/", "/."))
    return "/" + cleaned(whole) + ("/" if is_folder and cleaned(whole) else "")
