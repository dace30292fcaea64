"""Why a build failed: the engine, a step, or the Dockerfile, with the lines of it that are to be mended."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

from dockyard import context
from dockyard.build.anchor import instruction_of, read
from dockyard.build.marked import unmarked
from dockyard.build.output import plain
from dockyard.build.remedy import remedy
from dockyard.build.steps import TAIL
from dockyard.dockerfile import DockerfileError, parse
from dockyard.engines.buildx import last_useful_line
from dockyard.errors import BuildError, DockyardError, EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.build.steps import Progress, Step
    from dockyard.dockerfile import Instruction
    from dockyard.engines import Engine
    from dockyard.engines.buildx import CommandError
    from dockyard.plan import BuildPlan

AROUND = 3
# An instruction of more lines is shown without its middle.
LONGEST = 40
EXIT_CODE = re.compile(r"did not complete successfully: exit code: (\d+)")
# Steps of buildx's own, before a builder with a store of its own is there.
BEGINS = ("[internal] booting buildkit", "[internal] waiting for connection")
# What gRPC says where nobody is at the other end any more, as buildx was just asking for progress or for the result.
GONE = re.compile(r"\bUnavailable(?: desc =|:) ")
# The steps in which BuildKit asks a registry for a base, or for a frontend.
ASKS = re.compile(r"\b(?:load metadata|resolve image config) for (?:docker-image://)?(\S+)$")
NOT_FOUND = re.compile(r'"/?([^"]+)": not found$')
SIGNALS = 128
IN_WORDS = {
    126: "what it called cannot be executed",
    127: "a command was not found",
    137: "it was killed, as a machine does that is short of memory",
}


def failure(plan: BuildPlan, progress: Progress, error: CommandError, engine: Engine) -> DockyardError:
    """Say why a build failed."""
    if not engine.daemon.reachable():
        return EngineError(
            "The engine went away during the build.",
            last_useful_line(error.output),
            "Run `invoke setup` to start it, then build again: finished steps are still cached.",
        )
    if engine.buildx.version() is None:
        return EngineError("docker has no buildx here.", last_useful_line(error.output), "Run `invoke setup`.")
    step = progress.failed
    if step and step.name.startswith(BEGINS):
        return _builder(plan, "did not come up", step.error)
    if step is None and GONE.search(error.output):
        return _builder(plan, "went away during the build", last_useful_line(error.output))
    if step is None:
        return BuildError(
            f"{plan.dockerfile.name} cannot be built.",
            _cause(unmarked(error.output)),
            "Mend it, then run `invoke build` again.",
        )
    asked = ASKS.search(step.name)
    return _not_had(plan, asked[1], step.error) if asked and not step.instruction else _of_step(plan, step)


def _not_had(plan: BuildPlan, image: str, why: str) -> BuildError:
    """Say that an image cannot be had, and who would have to reach its registry: not always this machine's engine."""
    who = f" to the builder{f' {plan.builder}' if plan.builder else ''}" if plan.own_store else ""
    itself = ", which asks by itself: a mirror belongs into its own configuration" if who else ""
    return BuildError(
        f"{plain(image)} cannot be had.",
        "\n".join(filter(None, (why, _unread(plan)))),
        f"Correct the name in {plan.dockerfile.name}, or make its registry reachable{who}{itself}.",
    )


def _unread(plan: BuildPlan) -> str:
    """Return what is wrong with a Dockerfile in which no image could be put in the place of its name, therefore."""
    try:
        parse(plan.dockerfile.read_bytes(), args=plan.args, name=plan.dockerfile.name)
    except DockerfileError as error:
        return f"{plain(f'{error.what} {error.why}')} So no image that is here was put in the place of its name."
    except OSError:
        pass
    return ""


def _builder(plan: BuildPlan, how: str, why: str) -> EngineError:
    """Blame the builder, which is another program than the engine, and often on another machine."""
    name = f" {plan.builder}" if plan.builder else ""
    return EngineError(
        f"The builder{name or ' in use'} {how}.",
        why,
        f"`docker buildx inspect --bootstrap{name}` starts it or says why not; or take another one with `--builder`.",
    )


def _of_step(plan: BuildPlan, step: Step) -> BuildError:
    """Blame a step: its command, the lines of the Dockerfile around it, what it printed, and how it ended."""
    name = plan.dockerfile.name
    text, dockerfile = read(plan)
    found = instruction_of(dockerfile, step) if dockerfile else None
    if found is None:
        return BuildError(
            f"The build failed at {plain(step.name)}",
            "\n".join([*_printed(step), _ended(step)]),
            f"Mend that step of {name}, then run `invoke build` again: the steps before it are cached.",
        )
    missing = _missing(plan, found, step)
    stage = f", in the stage {step.stage}" if step.stage else ""
    again = "then run `invoke build` again: the steps before it are cached."
    mend = remedy(found, step, plan.secrets) or f"Mend that line of {name}"
    return BuildError(
        f"The build failed at line {found.line} of {name}{stage}: {_command(found)}",
        "\n".join([*_excerpt(text, found), *_printed(step), missing or _ended(step)]),
        f"Correct the path, or add the file, {again}" if missing else f"{mend}, {again}",
    )


def _command(instruction: Instruction) -> str:
    """Return an instruction whole, on one line, without its mounts; a heredoc's text is in the lines around it."""
    flags = [f"--{each.name}={each.value}" for each in instruction.flags if each.name != "mount"]
    return plain(" ".join([instruction.keyword, *flags, *instruction.arguments.split()]))


def _excerpt(text: str, instruction: Instruction) -> Iterator[str]:
    """Yield the lines of the Dockerfile around an instruction; `>` marks its own."""
    lines = text.splitlines()
    first, last = max(instruction.line - AROUND, 1), min(instruction.end_line + AROUND, len(lines))
    width = len(str(last))
    left_out = range(instruction.line + LONGEST // 2, instruction.end_line - LONGEST // 2 + 1)
    for number in range(first, last + 1):
        if number in left_out:
            if number == left_out.start:
                yield f"> {'':>{width}} | … {len(left_out)} more lines"
            continue
        mark = ">" if instruction.line <= number <= instruction.end_line else " "
        yield f"{mark} {number:>{width}} | {plain(lines[number - 1])}".rstrip()


def _printed(step: Step) -> list[str]:
    """Return the last lines of a step."""
    return ["It printed, at the end:", *(f"  {line}" for line in step.log[-TAIL:])] if step.log else []


def _ended(step: Step) -> str:
    """Return how a step ended, in words."""
    found = EXIT_CODE.search(step.error)
    if not found:
        return step.error
    code = int(found[1])
    return f"It ended with exit code {code}{f': {told}' if (told := _in_words(code)) else ''}."


def _in_words(code: int) -> str:
    """Return what shells mean by an exit code; empty if it is the command's own."""
    if code in IN_WORDS or code <= SIGNALS:
        return IN_WORDS.get(code, "")
    try:
        return f"it was ended by {signal.Signals(code - SIGNALS).name}"
    except ValueError:
        return ""


def _missing(plan: BuildPlan, instruction: Instruction, step: Step) -> str:
    """Return what a COPY or ADD did not find, and why; empty if that is not what it failed of."""
    found = NOT_FOUND.search(step.error)
    if not found or instruction.keyword not in ("COPY", "ADD"):
        return ""
    name, source = found[1], instruction.flag("from")
    if source:
        return f"There is no /{name} in {source}."
    ignore = context.effective(plan.context, plan.dockerfile)
    pattern = ignore.deciding(name)
    if pattern and not pattern.exception and ignore.file and (plan.context / name).exists():
        return f"{name} is kept out of the build: {ignore.file.name}:{pattern.line} ({pattern.text})."
    return f"There is no {name} in the build context."


def _cause(output: str) -> str:
    """Return buildx's own excerpt of the Dockerfile, if it gave one, and its last line."""
    lines = [line.rstrip() for line in output.splitlines()]
    excerpt = [line for line in lines if re.match(r"^ *\d+ \| ", line) or re.match(r"^\S*Dockerfile\S*:\d+$", line)]
    return "\n".join([*excerpt, last_useful_line(output)])
