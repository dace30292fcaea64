"""What a Dockerfile is read into: stages, instructions, heredocs, mounts; all of it frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from dockyard.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

Form = Literal["exec", "shell", ""]
SCRATCH = "scratch"


@dataclass(frozen=True, kw_only=True)
class Heredoc:
    """A heredoc's text.

    Attributes:
        name: What the line that ends it holds.
        body: Its lines, ends included; of `<<-` without the tabs in front.
        expand: Whether variables are replaced in it; in COPY and ADD only, since a shell does its own.
        expanded: The body after that.
        line: Its first line, from 1; that of its end if it is empty.
        end_line: The line that ends it.
    """

    name: str
    body: str
    expand: bool
    expanded: str
    line: int
    end_line: int


@dataclass(frozen=True, kw_only=True)
class Flag:
    """An option of an instruction, for instance `--chmod=755`; the value of a bare one is `true`."""

    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A `--mount` of RUN, its values expanded.

    Attributes:
        type: bind, cache, tmpfs, secret or ssh.
        from_: A stage or an image; empty is the build context.
        options: The others as given, by the first name that the reference has for each; the value of a bare one is
            `true`.
    """

    type: str = "bind"
    target: str = ""
    source: str = ""
    id: str = ""
    from_: str = ""
    sharing: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction.

    Attributes:
        keyword: In upper case.
        raw: Its text as it is in the file, heredocs included, without the last line's end.
        text: The same without heredocs, continued lines joined, comments dropped.
        arguments: What follows the keyword and the flags in `text`.
        words: Its words with their quotes; of exec form the JSON list, of USER and WORKDIR one word.
        flags: In their order, repeated ones too; --chown, --chmod and --checksum expanded.
        form: exec for a JSON list and shell otherwise, where there are both; empty elsewhere.
        expanded: The words after expansion; the words themselves where BuildKit does not expand.
        pairs: Of ENV, ARG and LABEL, expanded; None is an ARG that has no value.
        printed: What BuildKit calls the step, without its stage; of RUN, COPY, ADD and WORKDIR only.
        line: Its first line, from 1.
        end_line: Its last line, heredocs included.
        stage: The index of its stage, or None before the first.
        trigger: What ONBUILD keeps for later, not expanded; None if it is no instruction.
    """

    keyword: str
    raw: str
    text: str
    arguments: str
    words: tuple[str, ...]
    form: Form = ""
    flags: tuple[Flag, ...] = ()
    heredocs: tuple[Heredoc, ...] = ()
    expanded: tuple[str, ...] = ()
    pairs: Mapping[str, str | None] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    printed: str = ""
    line: int
    end_line: int
    stage: int | None = None
    trigger: Instruction | None = None

    def flag(self, name: str) -> str | None:
        """Return the value of a flag, the last one's if it is repeated, or None if it is not given."""
        return next((each.value for each in reversed(self.flags) if each.name == name), None)

    @property
    def sources(self) -> tuple[str, ...]:
        """What a COPY or ADD takes from the build context; nothing of any other instruction."""
        return self.expanded[:-1] if self.keyword in ("COPY", "ADD") and not self.flag("from") else ()


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage.

    Attributes:
        index: From 0.
        name: In lower case; empty if it has none.
        base: What FROM names, as written.
        reference: The same, expanded.
        platform: Expanded; empty if none is given.
        parent: The index of the stage it is built from, or None if the base is from outside.
        instructions: FROM first.
        uses: The indexes of the stages that it is built from or takes files from.
        line: Of its FROM.
    """

    index: int
    name: str
    base: str
    reference: str
    platform: str
    parent: int | None
    instructions: tuple[Instruction, ...]
    uses: frozenset[int]
    line: int


@dataclass(frozen=True, kw_only=True)
class External:
    """An image from outside that a build uses.

    Attributes:
        reference: Expanded, as the Dockerfile names it.
        why: FROM, COPY --from, RUN --mount, or # syntax.
        stage: The index of the stage that uses it, or None for the whole file.
    """

    reference: str
    line: int
    why: str
    stage: int | None = None


@dataclass(frozen=True, kw_only=True)
class Dockerfile:
    """A whole file.

    Attributes:
        name: As it was given.
        directives: `syntax`, `escape` and `check`, as far as they are given.
        arguments: The ARGs before the first stage, expanded, overridden by what was given; None has no value.
        instructions: Every one in its order, those before the first stage too.
        outside: The images from outside, in the order of their lines.
    """

    name: str
    directives: Mapping[str, str]
    arguments: Mapping[str, str | None]
    instructions: tuple[Instruction, ...]
    stages: tuple[Stage, ...]
    outside: tuple[External, ...]

    @property
    def final(self) -> Stage:
        """The last stage, which is built unless another one is asked for."""
        return self.stages[-1]

    def built(self, target: str = "") -> Stage:
        """Return the stage that a build makes: that of a name, else the last one.

        Raises:
            SettingsError: There is no such stage.
        """
        return self.stage(target) if target else self.final

    def stage(self, target: str | int) -> Stage:
        """Return a stage by name, by index, or by an index in digits.

        Raises:
            SettingsError: There is no such stage.
        """
        for each in reversed(self.stages):
            if target == each.index or (target and str(target).lower() in (each.name, str(each.index))):
                return each
        names = ", ".join(each.name or str(each.index) for each in self.stages)
        raise SettingsError(
            f"{self.name} has no stage {target}.",
            f"Its stages are {names}.",
            "Name one of them, or mend the Dockerfile.",
        )

    def lineage(self, stage: Stage | str | int) -> tuple[Instruction, ...]:
        """Return the instructions that make a stage's image within this file, those of its base first."""
        at = stage if isinstance(stage, Stage) else self.stage(stage)
        chain = [at]
        while chain[-1].parent is not None:
            chain.append(self.stages[chain[-1].parent])
        return tuple(instruction for each in reversed(chain) for instruction in each.instructions)

    def needed(self, stage: Stage | str | int) -> tuple[Stage, ...]:
        """Return the stages that are built for one, itself included, in their order."""
        at = stage if isinstance(stage, Stage) else self.stage(stage)
        found, waiting = set[int](), [at.index]
        while waiting:
            index = waiting.pop()
            if index not in found:
                found.add(index)
                waiting += self.stages[index].uses
        return tuple(self.stages[index] for index in sorted(found))

    def externals(self) -> tuple[External, ...]:
        """Return every image from outside that the file uses, whichever stage is built."""
        return self.outside
