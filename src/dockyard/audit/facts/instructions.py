"""What a Dockerfile's instructions do: the stage that is shipped, and the commands that its RUN instructions run."""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import TYPE_CHECKING

from dockyard.audit.verdict import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.dockerfile import Dockerfile, Instruction, Stage
    from dockyard.settings import Settings

Command = tuple[str, ...]

SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "busybox"})
# What may stand before a command's name.
OPENING = frozenset({"if", "then", "else", "elif", "while", "until", "do", "!", "{", "exec", "command", "eval", "time"})
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
SEPARATOR = re.compile(r"[();&|\n]+")
HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1(?P<rest>[^\n]*)\n.*?^\t*\2[ \t]*$", re.DOTALL | re.MULTILINE)
SUBSTITUTION = re.compile(r"\$\((?P<dollar>[^()]*)\)|`(?P<tick>[^`]*)`")
SHOWN = 60


def shipped_stage(dockerfile: Dockerfile, settings: Settings) -> Stage:
    """Return the stage that is built: the target of the settings where the file has it, else the last."""
    target = settings.build.target.lower()
    named = (stage for stage in dockerfile.stages if target and target in (stage.name, str(stage.index)))
    return next(named, dockerfile.final)


def shipped(dockerfile: Dockerfile, settings: Settings) -> tuple[Instruction, ...]:
    """Return the instructions that make the image which is shipped."""
    return dockerfile.lineage(shipped_stage(dockerfile, settings))


def last(instructions: tuple[Instruction, ...], keyword: str) -> Instruction | None:
    """Return the instruction of a kind that counts: the last one."""
    return next((each for each in reversed(instructions) if each.keyword == keyword), None)


def on(dockerfile: Dockerfile, instruction: Instruction) -> Place:
    """Where an instruction is."""
    line = " ".join(f"{instruction.keyword} {instruction.arguments}".split())
    shown = line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
    return Place(subject=shown, file=dockerfile.name, line=instruction.line)


def commands(instruction: Instruction) -> Iterator[Command]:
    """Yield the commands of a RUN instruction, each as its words; those that a shell is given with `-c` too."""
    if instruction.form == "exec":
        yield from _with_script(instruction.words)
        return
    opened = instruction.arguments.strip()
    if instruction.heredocs and opened.startswith("<<"):
        yield from _bodies(instruction)
        return
    yield from parsed(instruction.arguments)
    if opened.partition(" ")[0] in SHELLS:
        yield from _bodies(instruction)


def _bodies(instruction: Instruction) -> Iterator[Command]:
    """Yield the commands of heredocs that a shell runs; one with another interpreter's first line is not a shell's."""
    for heredoc in instruction.heredocs:
        first = heredoc.body.partition("\n")[0]
        if not first.startswith("#!") or re.search(r"\b(ba|da|a|z|k)?sh\b", first):
            yield from parsed(heredoc.body)


def parsed(script: str) -> Iterator[Command]:
    """Yield the commands of a shell script. What it feeds to them as heredocs is left out."""
    joined = re.sub(r"\\\r?\n", " ", script)
    plain = HEREDOC.sub(r"\g<rest>", joined)
    plain = re.sub(r"(?m)^\s*#.*$", "", plain)
    for found in SUBSTITUTION.finditer(plain):
        yield from parsed(found["dollar"] or found["tick"] or "")
    words: list[str] = []
    for token in [*_tokens(plain), "\n"]:
        if not SEPARATOR.fullmatch(token):
            words.append(token)
            continue
        yield from _with_script(_named(words))
        words = []


def _tokens(script: str) -> list[str]:
    lexer = shlex.shlex(script, posix=True, punctuation_chars="();&|\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    try:
        return list(lexer)
    except ValueError:  # a quote that is not closed
        return re.split(r"[ \t\r]+|(?<=[();&|\n])|(?=[();&|\n])", script)


def _named(words: list[str]) -> Command:
    """Drop what stands before the command's name."""
    rest = [word for word in words if word]
    while rest and (rest[0] in OPENING or ASSIGNMENT.fullmatch(rest[0])):
        rest.pop(0)
    return tuple(rest)


def _with_script(words: Command) -> Iterator[Command]:
    """Yield a command, and those of the script in it if it is a shell with `-c`."""
    if not words:
        return
    yield words
    script = shell_script(words)
    if script is not None:
        yield from parsed(script)


def shell_script(words: Command) -> str | None:
    """Return the script of `sh -c SCRIPT`, or None if the command is none."""
    if not words or posixpath.basename(words[0]) not in SHELLS:
        return None
    options = (at for at, word in enumerate(words[1:], 1) if re.fullmatch(r"-[a-z]*c", word))
    at = next(options, len(words))
    return words[at + 1] if at + 1 < len(words) else None
