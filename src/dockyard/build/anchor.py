"""Finds the lines of the Dockerfile: those that made a layer, from the image's history, and that of a build's step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.dockerfile import DockerfileError, parse
from dockyard.dockerfile.tree import SCRATCH

if TYPE_CHECKING:
    from dockyard.build.steps import Step
    from dockyard.dockerfile import Dockerfile, Instruction, Stage
    from dockyard.image import Image
    from dockyard.plan import BuildPlan

LEGACY = "/bin/sh -c "


def lines_of_layers(dockerfile: Dockerfile, image: Image, stage: Stage | None = None) -> dict[int, int]:
    """Return layer index to line; the layers of the base have the line of the stage's FROM.

    BuildKit writes one step of history for each instruction of the stages that lead to the image, in their order, after
    those of the base. An image that does not fit the Dockerfile so has no lines: better none than wrong ones.

    Args:
        dockerfile: What the image is taken to be made by.
        image: The image.
        stage: The stage that it is; None is the last one.
    """
    stage = stage or dockerfile.final
    lineage = dockerfile.lineage(stage)
    made = [each for each in lineage if each.keyword != "FROM"]
    first = len(image.history) - len(made)
    steps = image.history[max(first, 0) :]
    if first < 0 or not all(_is_of(step.created_by, each.keyword) for step, each in zip(steps, made, strict=True)):
        return {}
    lines = {step.layer: each.line for step, each in zip(steps, made, strict=True) if step.layer is not None}
    base = next((each.line for each in lineage if each.keyword == "FROM"), stage.line)
    return {layer.index: lines.get(layer.index, base) for layer in image.layers}


def _is_of(created_by: str, keyword: str) -> bool:
    """Whether a step of history is of an instruction; the legacy builder writes `/bin/sh -c #(nop)  ENV …`."""
    told = created_by.removeprefix(LEGACY).removeprefix("#(nop)").strip()
    return told.startswith(keyword) or (keyword == "RUN" and created_by.startswith(LEGACY))


def read(plan: BuildPlan) -> tuple[str, Dockerfile | None]:
    """Return the text of the Dockerfile of a build, and what it says; None if BuildKit would refuse it too."""
    try:
        text = plan.dockerfile.read_bytes()
        return text.decode("utf-8-sig", "replace"), parse(text, args=plan.args, name=plan.dockerfile.name)
    except (OSError, DockerfileError):
        return "", None


def stages_of(plan: BuildPlan) -> tuple[str, ...]:
    """Return the stages of a build in the order of the Dockerfile, as BuildKit calls them."""
    _, dockerfile = read(plan)
    return tuple(called(stage) for stage in dockerfile.stages) if dockerfile else ()


def called(stage: Stage) -> str:
    """Return what BuildKit calls a stage."""
    return stage.name or f"stage-{stage.index}"


def alone(dockerfile: Dockerfile) -> bool:
    """Whether BuildKit leaves the name of the only stage out of its steps.

    What a mount or a copy comes from is a stage for it too, even where it is the context.
    """
    copies = (each for each in dockerfile.instructions if each.mounts or (each.keyword == "COPY" and each.flag("from")))
    return len(dockerfile.stages) == 1 and not any(copies)


def instruction_of(dockerfile: Dockerfile, step: Step) -> Instruction | None:
    """Return the instruction that a step is made of, or None if that is not certain.

    It is the one that BuildKit calls so, in that stage if there are several. Where BuildKit put a variable of the base
    into its name it is the one of that number, but only if none of the base's triggers are counted too.
    """
    name = step.stage.split(" ")[-1]
    own = {stage.index for stage in dockerfile.stages if called(stage) == name} or {0}
    alike = [each for each in dockerfile.instructions if each.printed and each.printed == step.instruction]
    if alike:
        return max(alike, key=lambda each: (each.stage in own, _place(dockerfile, each) == (step.number, step.total)))
    keyword, place = step.instruction.partition(" ")[0], (step.number, step.total)
    counted = (each for each in dockerfile.instructions if each.printed and each.stage in own)
    return next((each for each in counted if each.keyword == keyword and _place(dockerfile, each) == place), None)


def _place(dockerfile: Dockerfile, instruction: Instruction) -> tuple[int, int]:
    """Return the number that BuildKit gives an instruction, and that of the steps in its stage."""
    stage = dockerfile.stages[instruction.stage or 0]
    steps = [each for each in stage.instructions if each.printed]
    outside = stage.parent is None and stage.reference != SCRATCH
    return steps.index(instruction) + 1 + outside, len(steps) + outside
