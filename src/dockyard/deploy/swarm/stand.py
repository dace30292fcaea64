"""How an update of a Swarm service stands: what was asked for, against what the swarm tells now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dockyard.engines.swarm_facts import ServiceFacts, TaskFacts

Verdict = Literal["under way", "complete", "failed", "rolled back", "rollback failed"]

# Tasks that have begun and do not run yet; what they wait for is told.
WAITING = frozenset({"new", "pending", "allocated", "assigned", "accepted", "preparing", "ready", "starting"})


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the swarm was asked for.

    Attributes:
        made_of: What the tasks of this release are made of.
        before: Ids of the tasks that were there before; what became of them says nothing of this release.
        wait: Seconds in which it must be complete.
        monitor: Seconds for which new tasks are watched.
        just_now: Whether it was asked for just now; else how an update ended that was before says nothing.
    """

    made_of: Mapping[str, Any] = field(repr=False)
    replicas: int
    before: frozenset[str]
    wait: float
    monitor: float
    just_now: bool = True


@dataclass(frozen=True, kw_only=True)
class Stand:
    """How it stands now.

    Attributes:
        new: How many tasks of this release run and are healthy.
        old: How many others run.
        failed: Tasks of this release that ended, the newest first.
        waits: What tasks of this release wait for, where Swarm says so.
        watched: Whether Swarm itself watches new tasks: it does in an update, not in a first release.
    """

    verdict: Verdict
    new: int
    old: int
    replicas: int
    failed: tuple[TaskFacts, ...]
    waits: tuple[str, ...]
    message: str
    watched: bool

    @property
    def words(self) -> str:
        """The same for people, without what changes by the second."""
        if self.message:
            return f"{self.message}; {self.old} of {self.replicas} earlier tasks run"
        others = f", {self.old} earlier still run" if self.old else ""
        ended = f", {len(self.failed)} ended" if self.failed else ""
        waits = f"; waiting: {', '.join(self.waits)}" if self.waits else ""
        return f"{self.new} of {self.replicas} new tasks are healthy{others}{ended}{waits}"


def stand(asked: Asked, service: ServiceFacts, tasks: Iterable[TaskFacts]) -> Stand:
    """Return how an update stands, of one reading of the service and its tasks."""
    listed = tuple(tasks)
    mine = [each for each in listed if each.made_of == asked.made_of]
    new = sum(each.runs for each in mine)
    old = sum(each.runs for each in listed) - new
    failed = tuple(each for each in mine if each.failed and each.id not in asked.before)
    waiting = (each.error for each in mine if each.state in WAITING and each.desired in ("running", "ready"))
    update = service.update if asked.just_now or not service.update.endswith("completed") else ""
    back = update.startswith("rollback")
    return Stand(
        verdict=_verdict(update, whole=new >= asked.replicas and not old, failed=bool(failed)),
        new=new,
        old=old,
        replicas=service.replicas if back else asked.replicas,
        failed=failed,
        waits=tuple(dict.fromkeys(filter(None, waiting))),
        message=service.message if back else "",
        watched=bool(update),
    )


def _verdict(update: str, *, whole: bool, failed: bool) -> Verdict:
    """Judge: Swarm says how an update ends; of a first release, or one that needs no other tasks, the tasks do."""
    told: dict[str, Verdict] = {
        "paused": "failed",
        "rollback_completed": "rolled back",
        "rollback_paused": "rollback failed",
    }
    if update in told:
        return told[update]
    if not update and failed:
        return "failed"
    return "complete" if whole and update in ("", "completed") else "under way"
