"""Text -> Dockerfile: each line becomes an instruction, and each FROM begins a stage."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard.dockerfile import grammar
from dockyard.dockerfile.lines import Source
from dockyard.dockerfile.problem import Refused
from dockyard.dockerfile.stages import Stages
from dockyard.dockerfile.tree import Instruction
from dockyard.dockerfile.words import SPACE, split_flags, split_keyword
from dockyard.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dockyard.dockerfile.lines import Statement
    from dockyard.dockerfile.tree import Dockerfile

NO_TRIGGERS = ("ONBUILD", "FROM", "MAINTAINER")
NOTHING: Mapping[str, str] = {}


def parse(text: str | bytes, *, args: Mapping[str, str] = NOTHING, name: str = "Dockerfile") -> Dockerfile:
    """Read a Dockerfile.

    Args:
        text: Its content; bytes are UTF-8.
        args: Build arguments; they beat the defaults of ARG, and BuildKit's own such as TARGETARCH.
        name: Of the file, for errors.

    Raises:
        DockerfileError: BuildKit would refuse it. What only the last stage's build would meet, such as `${x:?}`, is
            looked for in the stages that this build needs.
    """
    source = Source(text, name)
    stages = Stages(source, args)
    for instruction in _instructions(source):
        stages.add(instruction)
    return stages.finish()


def load(path: Path, *, args: Mapping[str, str] = NOTHING, name: str = "") -> Dockerfile:
    """Read a Dockerfile from its file; as `parse`, which see.

    Raises:
        DockerfileError: BuildKit would refuse it.
        SettingsError: The file cannot be read.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read.", str(error), "Correct `build.dockerfile`, or make it a file that you can read."
        ) from None
    return parse(text, args=args, name=name or path.name)


def _instructions(source: Source) -> Iterator[Instruction]:
    for statement in source.statements():
        try:
            yield _instruction(statement, statement.text, source.escape)
        except Refused as error:
            raise source.refuse(statement.line, str(error)) from None


def _instruction(statement: Statement, text: str, escape: str) -> Instruction:
    """Read one instruction; `text` is the statement's, or what is left of it behind ONBUILD."""
    written, rest = split_keyword(text)
    keyword = written.upper()
    if keyword not in grammar.KEYWORDS:
        raise Refused(f"There is no instruction {written[:80]}.")
    given, arguments = split_flags(rest, escape)
    words, form = grammar.words(keyword, arguments, escape)
    found = Instruction(
        keyword=keyword,
        raw=statement.raw,
        text=text.strip(SPACE),
        arguments=arguments,
        words=words,
        form=form,
        flags=grammar.flags(keyword, given),
        heredocs=statement.heredocs,
        expanded=words,
        line=statement.line,
        end_line=statement.end_line,
    )
    grammar.check(keyword, words, form, found.flags)
    if keyword in ("ENV", "LABEL", "ARG"):
        grammar.pairs(keyword, arguments, words)
    return replace(found, trigger=_trigger(statement, arguments, escape)) if keyword == "ONBUILD" else found


def _trigger(statement: Statement, text: str, escape: str) -> Instruction | None:
    """Read what ONBUILD keeps for later; BuildKit asks only then whether there is such an instruction."""
    written, rest = split_keyword(text)
    keyword = written.upper()
    if keyword in NO_TRIGGERS:
        raise Refused(f"ONBUILD keeps no {keyword} for later.")
    arguments = split_flags(rest, escape)[1]
    words, _ = grammar.words(keyword, arguments, escape)
    if keyword in grammar.PAIRS and words:
        grammar.pairs(keyword, arguments, words)
    try:
        return _instruction(statement, text, escape)
    except Refused:
        return None
