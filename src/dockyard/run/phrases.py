"""What programs say when they end or cannot serve, and the cause that it names: an ordered table."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

TAIL = 60
SOURCE = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)')
# The last line of a traceback: whatever stands above it was survived.
LAST_OF_TRACEBACK = re.compile(r"^(?P<kind>(?:\w+\.)*\w*(?:Error|Exception|Interrupt))\b(?:: (?P<text>.*))?$")


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A likely cause in words, and what to do about it."""

    said: str
    todo: str


@dataclass(frozen=True)
class Phrase:
    """A phrase that names a cause.

    Attributes:
        pattern: Its groups fill the cause and the remedy.
        said: The cause.
        todo: The remedy.
        alive: Whether it counts for a container that still runs; a mistake that ends nothing may be survived.
    """

    pattern: re.Pattern[str]
    said: str
    todo: str
    alive: bool = False


KEY = "Give the key in API_KEY or by --env-file, or run `invoke up` once: it makes one and keeps it."
STRONGER = 'Make one with `python -c "import secrets; print(secrets.token_urlsafe(32))"`.'
REBUILD = "Put it into the image: add it to the dependencies or to the Dockerfile's COPY, then run `invoke build`."
MODEL = "Look where the service expects its model (`env` in [tool.dockyard.run]) and whether the image has it there."

PHRASES = (
    Phrase(
        re.compile(r"API_KEY_FILE: (?P<path>/\S+): (?P<why>[^\"]+)"),
        "the key file {path} cannot be read: {why}",
        "Start it with `invoke run --prod`, which mounts the key, or correct API_KEY_FILE.",
        alive=True,
    ),
    Phrase(
        re.compile(r"\bAPI_KEY(?:_FILE)?: key \d+ (?P<why>(?:has|is|holds) [^\"]+)"),
        "the key is too weak: it {why}",
        STRONGER,
        alive=True,
    ),
    Phrase(
        re.compile(r"\bAPI_KEY(?:_FILE)?: (?:no key is set|holds no key)"), "the API key is missing", KEY, alive=True
    ),
    Phrase(
        re.compile(r"KeyError: '(?P<name>\w*(?:KEY|TOKEN|SECRET|PASSWORD)\w*)'"),
        "the key is missing: the variable {name} is not set",
        KEY,
    ),
    Phrase(
        re.compile(r"\[Errno \d+\] (?P<why>[^:]+): '(?P<path>/run/secrets/[^']+)'"),
        "the key file {path} cannot be read: {why}",
        "Start it with `invoke run --prod`, which mounts the key where API_KEY_FILE says.",
    ),
    Phrase(
        re.compile(r"(?:ModuleNotFoundError: )?No module named '?(?P<name>[\w.]+)'?"),
        "it crashed on import of {name}: no such module in the image",
        REBUILD,
    ),
    Phrase(
        re.compile(r"ImportError: cannot import name '(?P<name>\w+)' from '(?P<module>[\w.]+)'"),
        "it crashed on import of {name} from {module}",
        "The installed version of that module has no such name: compare it with the lock, then run `invoke build`.",
    ),
    Phrase(
        re.compile(r"ImportError: (?P<why>.+)"),
        "it crashed on import: {why}",
        "A shared library that a module needs is missing or for another system: install it in the Dockerfile.",
    ),
    Phrase(
        re.compile(r"(?P<kind>SyntaxError|IndentationError|TabError): (?P<why>.+)"),
        "it crashed on import: {kind}: {why}",
        "Mend the line that the traceback names, then run `invoke build`.",
    ),
    Phrase(
        re.compile(
            r"(?:Error|cannot|No such)\b.*?(?P<model>[^'\"\s]+\.(?:onnx|pkl|joblib|pth?|safetensors|h5|keras|gguf))\b"
        ),
        "the model {model} is missing or cannot be read",
        MODEL,
    ),
    Phrase(
        re.compile(r"\[Errno 98\]|[Aa]ddress already in use"),
        "the address is in use: something in the container's network listens on its port already",
        "Let one process alone listen on it: look for a second server or for a shared network.",
    ),
    Phrase(
        re.compile(r"Read-only file system(?:: '(?P<path>[^']+)')?"),
        "it writes to the read-only file system{at}",
        "Write to /tmp or to the logs folder: all else is read-only in production.",
    ),
    Phrase(
        re.compile(r"No space left on device(?:: '(?P<path>[^']+)')?"),
        "the disk is full{at}",
        "Free space on that volume; `df -h` on the host tells whose it is.",
    ),
    Phrase(
        re.compile(r"Permission denied: '(?P<path>[^']+)'"),
        "permission denied{at}",
        "Let the container's user (`user` in [tool.dockyard.run]) write there.",
    ),
    Phrase(
        re.compile(r"[Ee]xec format error"),
        "exec format error: its program is for another processor, or is no program",
        "Build for this engine's processor: `invoke build --platform linux/amd64`, or the one that it has.",
    ),
    Phrase(
        re.compile(r"(?:^|: )(?:\d+: )?(?P<name>[\w./-]+): (?:command )?not found$"),
        "its command was not found: {name} is not in the image",
        REBUILD,
    ),
    Phrase(
        re.compile(r"\bMemoryError\b|std::bad_alloc|Cannot allocate memory"),
        "it ran out of memory",
        "Raise `memory` in [tool.dockyard.run], or load less.",
    ),
)


def heard(text: str, *, alive: bool) -> Cause | None:
    """Return the cause that a line names; None if none that counts."""
    for phrase in PHRASES:
        found = phrase.pattern.search(text) if phrase.alive or not alive else None
        if found:
            groups = {name: value or "" for name, value in found.groupdict().items()}
            path = groups.get("path", "")
            groups["at"] = f": {path}" if path else ""
            return Cause(said=phrase.said.format(**groups).strip(), todo=phrase.todo.format(**groups))
    return None


def last_words(lines: tuple[str, ...]) -> Cause | None:
    """Return the cause that the end of a log names: the latest line counts, and nothing above the last traceback."""
    tail = lines[-TAIL:]
    for at in range(len(tail) - 1, -1, -1):
        line, known = tail[at], heard(tail[at], alive=False)
        if known:
            return replace(known, said=f"{known.said}{_source(tail[:at])}") if "SyntaxError" in line else known
        if LAST_OF_TRACEBACK.match(line):
            return Cause(
                said=f"it crashed: {line}", todo="Mend the line that the traceback in `invoke logs` names, then build."
            )
    return None


def _source(above: tuple[str, ...]) -> str:
    """Return the file and line that a traceback names last."""
    found = next((found for line in reversed(above) if (found := SOURCE.match(line))), None)
    return f" in {found['file']}, line {found['line']}" if found else ""
