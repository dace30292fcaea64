"""What an instruction sees of those before it: variables in their order, and who set them; user, folder, shell."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.dockerfile import Instruction
    from dockyard.engines.facts import ImageFacts

SHELL = ("/bin/sh", "-c")
# BuildKit gives these to RUN without letting them count, unless the Dockerfile declares them.
BASE = "base"
ROOT = "/"


class Value(NamedTuple):
    """A variable's value.

    Attributes:
        origin: `ARG`, `ENV`, or `base` for the image that FROM names.
        line: Of the instruction that set it.
        given: Whether a build argument was given for it.
    """

    value: str
    origin: str
    line: int
    given: bool = False


@dataclass(kw_only=True)
class Scope:
    """The state of a stage between two instructions.

    Attributes:
        variables: In the order in which they were last set, which is part of a step's cache key.
        kept: What ENV set: a stage that is built from this one sees it, whatever ARG said.
        triggers: What ONBUILD keeps for a stage that is built from this one, which begins with it.
    """

    variables: dict[str, Value] = field(default_factory=dict)
    kept: dict[str, Value] = field(default_factory=dict)
    user: str = ""
    user_line: int = 0
    folder: str = ROOT
    shell: tuple[str, ...] = SHELL
    triggers: tuple[str, ...] = ()

    @classmethod
    def on(cls, image: ImageFacts) -> Scope:
        """Return the scope of a stage on an image from outside."""
        pairs = (each.partition("=") for each in image.env)
        known = {name: Value(value, BASE, 0) for name, _, value in pairs}
        return cls(
            variables=dict(known),
            kept=dict(known),
            user=image.user,
            folder=image.folder or ROOT,
            triggers=image.triggers,
        )

    def below(self) -> Scope:
        """Return the scope of a stage that is built from this one."""
        return replace(self, variables={**self.variables, **self.kept}, kept=dict(self.kept))

    def take(self, instruction: Instruction, given: Mapping[str, str], outer: Mapping[str, int]) -> None:
        """Let an instruction have its effect.

        Args:
            instruction: The next one of the stage.
            given: Build arguments.
            outer: The lines of the ARGs before the first stage: one without a value takes over theirs.
        """
        match instruction.keyword:
            case "ARG" | "ENV":
                for name, value in instruction.pairs.items():
                    line = outer.get(name, instruction.line) if name in instruction.words else instruction.line
                    if value is not None:
                        self._set(name, Value(value, instruction.keyword, line, name in given))
            case "USER":
                self.user, self.user_line = instruction.expanded[0], instruction.line
            case "WORKDIR":
                self.folder = posixpath.normpath(posixpath.join(self.folder, instruction.expanded[0]))
            case "SHELL":
                self.shell = instruction.words
            case "ONBUILD":
                self.triggers += (instruction.arguments,)

    def _set(self, name: str, value: Value) -> None:
        self.variables.pop(name, None)
        self.variables[name] = value
        if value.origin == "ENV":
            self.kept[name] = value
