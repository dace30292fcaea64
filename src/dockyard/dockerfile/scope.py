"""What variables are worth at an instruction, and what an instruction becomes with them.

RUN, CMD, ENTRYPOINT, SHELL, HEALTHCHECK and ONBUILD are left to a shell, or to later; only RUN's mounts are expanded.
A name that nothing sets is worth nothing: what a base from outside has in its environment is not in the file.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockyard.dockerfile import grammar, mounts
from dockyard.dockerfile.heredoc import opening
from dockyard.dockerfile.lexer import Style, expand, split
from dockyard.dockerfile.problem import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.dockerfile.tree import Heredoc, Instruction

# BuildKit's own, where the base has none; official images have the same folders in another order.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
EXPANDED = ("USER", "WORKDIR", "STOPSIGNAL", "VOLUME")
EXPANDED_FLAGS = ("chown", "chmod", "checksum")
PRINTED = ("RUN", "COPY", "ADD", "WORKDIR")
BODY = Style(quotes="ordinary")


@dataclass(kw_only=True)
class Scope:
    """The variables of a stage, from one instruction to the next.

    Attributes:
        escape: The file's escape.
        arguments: The values that were given for the build; they beat ARG's own.
        outer: The ARGs before the first stage, which an ARG without a value takes over.
        environment: What instructions see.
        kept: What ENV sets: it stays in the image, and a stage that is built from it begins with it.
    """

    escape: str
    arguments: Mapping[str, str]
    outer: Mapping[str, str]
    environment: dict[str, str]
    kept: dict[str, str]

    @classmethod
    def first(cls, escape: str, arguments: Mapping[str, str], outer: Mapping[str, str]) -> Scope:
        """Return the scope of a stage whose base is from outside."""
        path = {"PATH": PATH}
        return cls(escape=escape, arguments=arguments, outer=outer, environment=dict(path), kept=dict(path))

    def below(self) -> Scope:
        """Return the scope of a stage that is built from this one: ENV beats ARG there, whichever came last."""
        return replace(self, environment={**self.environment, **self.kept}, kept=dict(self.kept))

    def expand(self, word: str) -> str:
        """Return a word expanded."""
        return expand(word, self.environment, Style(escape=self.escape))

    def resolve(self, instruction: Instruction) -> Instruction:
        """Return an instruction expanded, and let it set its variables.

        Raises:
            Refused: A variable cannot be expanded.
        """
        found = replace(instruction, printed=self._printed(instruction))
        match instruction.keyword:
            case "ARG" | "ENV" | "LABEL":
                return self._pairs(found)
            case "ADD" | "COPY":
                return self._copy(found)
            case "EXPOSE":
                style = Style(escape=self.escape)
                ports = tuple(each for word in found.words for each in split(word, self.environment, style))
                grammar.check_ports(ports)
                return replace(found, expanded=ports)
            case "RUN":
                given = [each.value for each in found.flags if each.name == "mount"]
                return replace(found, mounts=tuple(mounts.read(each, self.expand) for each in given))
            case keyword if keyword in EXPANDED:
                return replace(found, expanded=tuple(map(self.expand, found.words)))
        return found

    def _pairs(self, instruction: Instruction) -> Instruction:
        keyword = instruction.keyword
        found: dict[str, str | None] = {}
        for key, default in grammar.pairs(keyword, instruction.arguments, instruction.words):
            name = self.expand(key)
            value = self._argument(name, default) if keyword == "ARG" else self.expand(default or "")
            found[name] = value
            # The ARGs of one line see those before them, the ENVs do not.
            if keyword == "ARG" and value is not None:
                self.environment[name] = value
        set_now = {name: value for name, value in found.items() if value is not None}
        if keyword == "ENV":
            self.environment |= set_now
            self.kept |= set_now
        told = tuple(name if value is None else f"{name}={value}" for name, value in found.items())
        return replace(instruction, pairs=found, expanded=told)

    def _argument(self, name: str, default: str | None) -> str | None:
        if name in self.arguments:
            return self.arguments[name]
        return self.outer.get(name) if default is None else self.expand(default)

    def _copy(self, instruction: Instruction) -> Instruction:
        words = (word if opening(word) else self.expand(word) for word in instruction.words)
        flags = (
            replace(each, value=self.expand(each.value)) if each.name in EXPANDED_FLAGS else each
            for each in instruction.flags
        )
        heredocs = tuple(map(self._heredoc, instruction.heredocs))
        return replace(instruction, expanded=tuple(words), flags=tuple(flags), heredocs=heredocs)

    def _heredoc(self, heredoc: Heredoc) -> Heredoc:
        return replace(heredoc, expanded=expand(heredoc.body, self.environment, BODY)) if heredoc.expand else heredoc

    def _printed(self, instruction: Instruction) -> str:
        """Return BuildKit's name for a step; where it cannot expand the line, it prints it as it is."""
        if instruction.keyword not in PRINTED:
            return ""
        text = instruction.text
        run = instruction.keyword == "RUN"
        if run and instruction.heredocs and opening(instruction.arguments):
            first, *more = instruction.heredocs[0].body.strip().replace("\r\n", "\n").split("\n")
            text = f"{text} ({first}{'...' if more else ''})"
        style = Style(escape=self.escape, quotes="keep" if run else "drop", keep_unset=run)
        with suppress(Refused):
            text = expand(text, self.environment, style)
        keyword, space, rest = text.partition(" ")
        return keyword.upper() + space + rest
