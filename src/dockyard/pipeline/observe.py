"""The project's container as it runs: its state, its log, what it uses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dockyard import gateway, plan, run
from dockyard.engines.containers import Container
from dockyard.engines.facts import moment
from dockyard.observe import follow
from dockyard.observe.drift import differences
from dockyard.observe.running import read_running
from dockyard.observe.state import Ended, Prediction, State, last_prediction, measure, uptime
from dockyard.observe.usage import Usage, read_usage
from dockyard.pipeline.container import own
from dockyard.pipeline.gateway import process_of, traffic_of, url_of
from dockyard.pipeline.release import look
from dockyard.run.evidence import last_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockyard.engines.facts import ContainerFacts
    from dockyard.engines.logs import LogLine
    from dockyard.pipeline.project import Project

READ_LINES = 2000
SECOND = 1.0


def status(project: Project, *, dev: bool = False) -> State:
    """Return how the container is, and in what it differs from the settings; settle first what a kill left."""
    look(project)
    daemon = project.engine.daemon
    facts = own(project, dev=dev)
    told = Container(daemon=daemon, id=facts.id).inspect()
    came_with = daemon.image(facts.image_id)
    labels = facts.labels  # those of its image among them, even when that is gone
    make = plan.development_plan if dev else plan.production_plan
    planned = make(project.settings, token="")
    if not dev and (project.settings.run.gateway or gateway.behind(facts)):
        # Behind a gateway it publishes another port than the one that users see.
        planned = traffic_of(project).published(planned, facts)
    runs = facts.status == "running"
    return State(
        facts=facts,
        url=url_of(project, facts) if runs else "",
        gateway=_gateway(project, facts),
        release=labels.get(plan.RELEASE, ""),
        digest=came_with.digest if came_with else facts.image_id,
        version=labels.get(f"{plan.OCI}.version", ""),
        revision=labels.get(f"{plan.OCI}.revision", ""),
        base=labels.get(f"{plan.OCI}.base.name", ""),
        uptime=uptime(facts.started) if runs else None,
        ended=_ended(project, facts),
        usage=read_usage(daemon.stats(facts.id), told) if runs else None,
        prediction=_prediction(project, facts),
        logs=measure(facts.mounts.get(project.settings.run.logs_target, "")),
        drift=differences(planned, read_running(told, came_with), daemon.image(planned.image)),
    )


def _gateway(project: Project, facts: ContainerFacts) -> str:
    """Say how the gateway is, if the container is behind one."""
    process = process_of(project)
    if not gateway.behind(facts) or process.facts is None:
        return ""
    if not process.running:
        return f"{process.name}, {process.facts.status}"
    sends = "sends requests to it" if process.admin.serving(facts.id) else "answers 503"
    return f"{process.name}, {sends}"


def _ended(project: Project, facts: ContainerFacts) -> Ended | None:
    """Return how it ended last; of one that runs again only the engine's events know."""
    at = moment(facts.finished)
    if at is None:
        return None
    if facts.status in ("exited", "dead"):
        return Ended(time=at, exit_code=facts.exit_code, oom_killed=facts.oom_killed)
    return Ended(time=at, exit_code=last_end(facts, project.engine.daemon), oom_killed=None)


def _prediction(project: Project, facts: ContainerFacts) -> Prediction | None:
    lines = project.engine.daemon.logs(facts.id, lines=READ_LINES)
    return last_prediction(lines, project.settings.smoke.predict, project.settings.logs)


def log(
    project: Project, question: follow.Question, *, dev: bool = False, onwards: bool = False
) -> Iterator[LogLine | follow.Turn]:
    """Yield the container's log; `onwards` goes on with it, and with whatever container takes its place."""
    facts = own(project, dev=dev)
    daemon = project.engine.daemon
    if onwards:
        follower = follow.Follower(facts.name, project.settings.image, daemon=daemon)
        yield from follower.follow(facts, question)
    else:
        yield from follow.history(daemon, facts.id, question)


def usage(project: Project, *, dev: bool = False) -> tuple[ContainerFacts, Usage | None]:
    """Return what the container uses now; nothing if it does not run."""
    facts = own(project, dev=dev)
    if facts.status != "running":
        return facts, None
    told = Container(daemon=project.engine.daemon, id=facts.id).inspect()
    return facts, read_usage(project.engine.daemon.stats(facts.id), told)


def usages(
    project: Project, *, dev: bool = False, pause: Callable[[float], None] = time.sleep
) -> Iterator[tuple[ContainerFacts, Usage | None]]:
    """Yield what the container uses each second, whichever container has the name; it ends when none of ours has."""
    daemon = project.engine.daemon
    facts: ContainerFacts | None = own(project, dev=dev)
    name = project.settings.dev.name if dev else project.settings.run.name
    known, before = "", None
    while facts is not None and run.ours(facts, project.settings.image):
        begun = time.monotonic()
        if facts.status == "running":
            told = Container(daemon=daemon, id=facts.id).inspect()
            sample = daemon.stats(facts.id, at_once=True)
            yield facts, read_usage(sample, told, before if known == facts.id else None)
            known, before = facts.id, sample
        else:
            yield facts, None
        pause(max(SECOND - (time.monotonic() - begun), 0))
        facts = daemon.container(name)
