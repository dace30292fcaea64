"""What `invoke build` keeps of what went into a build, and why its steps ran."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from dockyard import explain
from dockyard.errors import DockyardError

if TYPE_CHECKING:
    from dockyard.build import BuildRecord
    from dockyard.pipeline.project import Project
    from dockyard.plan import BuildPlan

NO_EXPLANATION = explain.Explanation(record="", against="", image="", dockerfile="", steps=())
# So many builds are read to learn what changes often; all that are kept would take too long after each build.
HISTORY = 10


def ingredients(project: Project, plan: BuildPlan) -> dict[str, Any]:
    """Return what goes into a build, for its record; nothing where that cannot be read, which the build will say."""
    try:
        return explain.gather(plan, state=project.state, image=project.engine.daemon.image).plain()
    except (DockyardError, OSError):
        return {}


def explained(project: Project, record: BuildRecord) -> explain.Explanation:
    """Explain the build that has just been made; there is nothing to say if nobody gathered what went in."""
    records = explain.Records(project.state)
    last = records.last() if record.ingredients else None
    if last is None:
        return NO_EXPLANATION
    against = records.like(last.graph, before=last.name)
    return explain.tell(last, against, explain.Store(project.state), history=list(islice(records, HISTORY)))
