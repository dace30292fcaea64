"""The names of steps, as they are where no named context stands in the place of a stage's image.

BuildKit counts the FROM of a stage as its first step. With a named context in its place it names that context instead
and begins with the next instruction at 1, but leaves the number of all as it was.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from dockyard.build.anchor import alone, called, read
from dockyard.dockerfile.outside import meant
from dockyard.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.dockerfile import Dockerfile, Stage
    from dockyard.plan import BuildPlan

LABEL = re.compile(r"^\[(?P<before>(?:.* )?)(?P<number>\d+)(?P<after>/\d+\] )")
# Behind the name stands its platform, if there is a context for that alone.
CONTEXT = re.compile(r"^\[context (?P<name>.+?)(?:::\S+)?\] (?P<does>load metadata for )?")


def as_numbered(plan: BuildPlan) -> Callable[[str], str]:
    """Return what gives a step the name that it has without the named contexts of a build."""
    _, dockerfile = read(plan)
    stages, contexts = dockerfile.stages if dockerfile else (), plan.named_contexts
    standing = [each for each in stages if each.parent is None and each.reference in contexts]
    replaced = {called(each) for each in standing}
    nameless = dockerfile is not None and alone(dockerfile)
    if len(stages) == 1 and replaced:
        replaced.add("")
    # Of the stages on one image the first that is built has it.
    first = {meant(each.reference): each for each in _built(plan, dockerfile)[::-1] if each in standing}
    begun = {
        image: _from("" if nameless else called(each), each)
        for image, each in first.items()
        if each.reference not in plan.contexts
    }

    def numbered(name: str) -> str:
        context = CONTEXT.match(name)
        if context and meant(context["name"]) in begun:
            of_image = f"[internal] {context['does']}{name[context.end() :]}"
            return of_image if context["does"] else begun[meant(context["name"])]
        label = LABEL.match(name)
        if not label or label["before"].strip().rpartition(" ")[2] not in replaced:
            return name
        return f"[{label['before']}{int(label['number']) + 1}{label['after']}{name[label.end() :]}"

    return numbered


def _built(plan: BuildPlan, dockerfile: Dockerfile | None) -> tuple[Stage, ...]:
    """Return the stages that a build makes; none where there is no such target, which the build will say."""
    if dockerfile is None:
        return ()
    with suppress(SettingsError):
        return dockerfile.needed(dockerfile.built(plan.target))
    return ()


def _from(name: str, stage: Stage) -> str:
    """Return what BuildKit calls the FROM of a stage, without the digest of its image."""
    total = 1 + sum(bool(each.printed) for each in stage.instructions)
    return f"[{name}{' ' if name else ''}1/{total}] FROM {stage.reference}"
