"""The numbers of steps, as they are where no named context stands in the place of a stage's image.

BuildKit counts the FROM of a stage as its first step. With a named context in its place it names that context instead
and begins with the next instruction at 1, but leaves the number of all as it was.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard.build.anchor import called, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.plan import BuildPlan

LABEL = re.compile(r"^\[(?P<before>(?:.* )?)(?P<number>\d+)(?P<after>/\d+\] )")


def as_numbered(plan: BuildPlan) -> Callable[[str], str]:
    """Return what gives a step's name the number that it has without the named contexts of a build."""
    _, dockerfile = read(plan)
    stages, contexts = dockerfile.stages if dockerfile else (), plan.named_contexts
    replaced = {called(each) for each in stages if each.parent is None and each.reference in contexts}
    if len(stages) == 1 and replaced:
        replaced.add("")

    def numbered(name: str) -> str:
        label = LABEL.match(name)
        if not label or label["before"].strip().rpartition(" ")[2] not in replaced:
            return name
        return f"[{label['before']}{int(label['number']) + 1}{label['after']}{name[label.end() :]}"

    return numbered
