"""Instructions -> stages: who is built from whom, who takes files from whom, and what comes from outside."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dockyard.dockerfile.lexer import Style, expand
from dockyard.dockerfile.problem import DockerfileError, Refused
from dockyard.dockerfile.scope import Scope
from dockyard.dockerfile.tree import SCRATCH, Dockerfile, External, Instruction, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.dockerfile.lines import Source

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
REFERENCE = re.compile(
    rf"(?:(?:localhost|\[[0-9a-fA-F:]+\]|[a-zA-Z0-9-]+(?=[.:])(?:\.[a-zA-Z0-9-]+)*)(?::[0-9]+)?/)?{COMPONENT}(?:/{COMPONENT})*"
    r"(?::\w[\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?",
    re.ASCII,
)
PLATFORM = re.compile(r"[A-Za-z0-9_.-]+(?:\([^()]*\))?(?:/[A-Za-z0-9_.-]+){0,2}", re.ASCII)


def own_arguments() -> dict[str, str]:
    """Return the ARGs that BuildKit has of itself; the builder's machine is taken to be like this one."""
    machine = platform.machine()
    architecture = ARCHITECTURES.get(machine, machine)
    parts = {"PLATFORM": f"linux/{architecture}", "OS": "linux", "ARCH": architecture, "VARIANT": ""}
    return {f"{side}{part}": value for side in ("BUILD", "TARGET") for part, value in parts.items()}


@dataclass(kw_only=True)
class _Open:
    """A stage whose instructions are still being read."""

    start: Instruction
    name: str
    reference: str
    platform: str
    parent: int | None
    scope: Scope
    instructions: list[Instruction] = field(default_factory=list)
    uses: list[tuple[int, int]] = field(default_factory=list)
    problem: DockerfileError | None = None


class Stages:
    """Takes a file's instructions in their order, and returns its tree.

    Args:
        source: The file.
        given: Build arguments.
    """

    def __init__(self, source: Source, given: Mapping[str, str]) -> None:
        self._source = source
        self._given = given
        self._style = Style(escape=source.escape)
        self._outer = {**own_arguments(), **{name: given[name] for name in own_arguments() if name in given}}
        self._arguments: dict[str, str | None] = {}
        self._before: list[Instruction] = []
        self._open: list[_Open] = []
        self._names: dict[str, int] = {}

    def add(self, instruction: Instruction) -> None:
        """Take the next instruction.

        Raises:
            DockerfileError: It cannot stand here, or a FROM or an ARG before it cannot be expanded.
        """
        try:
            if instruction.keyword == "FROM":
                self._begin(instruction)
            elif not self._open:
                self._before.append(self._global(instruction))
            else:
                self._append(instruction)
        except Refused as error:
            raise self._source.refuse(instruction.line, str(error)) from None

    def _global(self, instruction: Instruction) -> Instruction:
        if instruction.keyword != "ARG":
            raise Refused(f"{instruction.keyword} stands before the first FROM, where only ARG may.")
        scope = Scope(
            escape=self._source.escape, arguments=self._given, outer={}, environment=dict(self._outer), kept={}
        )
        found = scope.resolve(instruction)
        self._outer = scope.environment
        self._arguments |= found.pairs
        return found

    def _begin(self, instruction: Instruction) -> None:
        base, *rest = instruction.words
        reference = expand(base, self._outer, self._style)
        if not reference:
            raise Refused(f"The base {base} is empty once its variables are replaced.")
        parent = self._names.get(reference)
        if parent is None and reference != SCRATCH:
            _check_reference(reference)
        where = instruction.flag("platform")
        where = expand(where, self._outer, self._style) if where else ""
        if instruction.flag("platform") and not PLATFORM.fullmatch(where):
            raise Refused(f"--platform={instruction.flag('platform')} is no platform.")
        name = rest[1].lower() if rest else ""
        scope = Scope.first(self._source.escape, self._given, self._outer)
        self._open.append(
            _Open(
                start=replace(instruction, expanded=(reference, *rest), stage=len(self._open)),
                name=name,
                reference=reference,
                platform=where,
                parent=parent,
                scope=scope if parent is None else self._open[parent].scope.below(),
            )
        )
        if name:
            self._names[name] = len(self._open) - 1

    def _append(self, instruction: Instruction) -> None:
        stage = self._open[-1]
        instruction = replace(instruction, stage=len(self._open) - 1)
        try:
            instruction = stage.scope.resolve(instruction)
        except Refused as error:
            # BuildKit meets it only if the stage is built.
            stage.problem = stage.problem or self._source.refuse(instruction.line, str(error))
        stage.instructions.append(instruction)

    def finish(self) -> Dockerfile:
        """Return the tree.

        Raises:
            DockerfileError: There is no stage, one needs itself or a later one, or a stage that is built is wrong.
        """
        if not self._open:
            raise self._source.refuse(0, "It has no FROM.")
        outside = [*self._syntax(), *(each for at in range(len(self._open)) for each in self._outside(at))]
        found = Dockerfile(
            name=self._source.name,
            directives={key: value for key, (value, _) in self._source.directives.items()},
            arguments=self._arguments,
            instructions=(*self._before, *(each for one in self._open for each in (one.start, *one.instructions))),
            stages=tuple(map(self._stage, range(len(self._open)))),
            outside=tuple(outside),
        )
        self._check_order(found)
        return found

    def _stage(self, index: int) -> Stage:
        one = self._open[index]
        parents = () if one.parent is None else (one.parent,)
        return Stage(
            index=index,
            name=one.name,
            base=one.start.words[0],
            reference=one.reference,
            platform=one.platform,
            parent=one.parent,
            instructions=(one.start, *one.instructions),
            uses=frozenset((*parents, *(used for _, used in one.uses))),
            line=one.start.line,
        )

    def _syntax(self) -> Iterator[External]:
        """Yield the frontend that the file asks for; what follows a space are its arguments."""
        if "syntax" in self._source.directives:
            value, line = self._source.directives["syntax"]
            yield External(reference=value.split(" ")[0], line=line, why="# syntax")

    def _outside(self, index: int) -> Iterator[External]:
        """Yield the images that a stage uses, and note the stages that it uses."""
        stage = self._open[index]
        if stage.parent is None and stage.reference != SCRATCH:
            yield External(reference=stage.reference, line=stage.start.line, why="FROM", stage=index)
        for instruction in stage.instructions:
            for why, reference in _sources(instruction):
                try:
                    used = self._used(reference, why)
                except Refused as error:
                    raise self._source.refuse(instruction.line, str(error)) from None
                if used is not None:
                    stage.uses.append((instruction.line, used))
                elif reference != SCRATCH:
                    yield External(reference=reference, line=instruction.line, why=why, stage=index)

    def _used(self, reference: str, why: str) -> int | None:
        """Return the stage that a source names, by its name or, in COPY, by its number; None is an image."""
        if why.startswith("COPY") and re.fullmatch(r"[+-]?[0-9]+", reference):
            if not 0 <= (number := int(reference[:20])) < len(self._open):
                raise Refused(f"There is no stage {reference}.")
            return number
        used = self._names.get(reference.lower())
        if used is None and reference != SCRATCH:
            _check_reference(reference)
        return used

    def _check_order(self, found: Dockerfile) -> None:
        built = {each.index for each in found.needed(found.final)}
        for index, stage in enumerate(self._open):
            if index in built and stage.problem:
                raise stage.problem
            for line, used in stage.uses:
                if used >= index and (index in built or index in {each.index for each in found.needed(used)}):
                    raise self._source.refuse(line, "It takes files from its own stage, or from a later one.")


def _sources(instruction: Instruction) -> Iterator[tuple[str, str]]:
    """Yield where an instruction takes files from, other than the build context."""
    if instruction.keyword == "COPY" and (given := instruction.flag("from")):
        yield "COPY --from", given
    for mount in instruction.mounts:
        if mount.from_:
            yield "RUN --mount", mount.from_


def _check_reference(reference: str) -> None:
    """Raise Refused unless a reference is of the form that a registry's images have."""
    if not REFERENCE.fullmatch(reference) or re.fullmatch("[0-9a-f]{64}", reference):
        raise Refused(f"{reference} is no image's name.")
