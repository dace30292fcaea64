"""The legs of a workflow: each of its jobs, once for every value of its matrix."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from itertools import product
from typing import TYPE_CHECKING

from dockyard.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dockyard.workflow.read import Job, Workflow


@dataclass(frozen=True, kw_only=True)
class Leg:
    """A job with one value of each list of its matrix; its name is the one that GitHub gives it."""

    job: Job
    values: Mapping[str, str]

    @property
    def name(self) -> str:
        """For instance `checks`, or `tests (3.12)`."""
        return f"{self.job.id} ({', '.join(self.values.values())})" if self.values else self.job.id


def legs(workflow: Workflow, wanted: Sequence[str] = ()) -> tuple[Leg, ...]:
    """Return the legs of a workflow in the order in which they can run.

    Args:
        workflow: What CI does.
        wanted: Ids of jobs, or names of legs; empty takes all.

    Raises:
        SettingsError: One of them is not there.
    """
    every = [
        Leg(job=job, values=dict(zip(job.matrix, values, strict=True)))
        for job in workflow.jobs
        for values in product(*job.matrix.values())
    ]
    known = list(dict.fromkeys(name for leg in every for name in (leg.job.id, leg.name)))
    for name in wanted:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise SettingsError(
                f"--job {name} is unknown.",
                f"{workflow.path.name} has {', '.join(known)}.",
                f"Did you mean {near[0]}?" if near else "Take one of them; `invoke ci --list` shows what they do.",
            )
    return tuple(leg for leg in every if not wanted or {leg.name, leg.job.id} & set(wanted))
