"""Releases: the production container replaced behind a gate, gone back from, and put in order after a kill."""

from __future__ import annotations

import secrets
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from dockyard import plan, run, smoke
from dockyard.errors import EngineError
from dockyard.pipeline import keys
from dockyard.pipeline.gateway import traffic_of
from dockyard.pipeline.trial import target_of
from dockyard.settings import key
from dockyard.state import LockedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from dockyard.engines.facts import ContainerFacts
    from dockyard.pipeline.project import Project


def start_production(
    project: Project, *, env_file: Path | None = None, ask: Callable[[], str] | None = None
) -> run.Started:
    """Release the image of the settings: start it, or put it in the place of the one that runs."""
    found = keys.in_use(project, env_file=env_file, ask=ask)
    golden = smoke.read_golden(project.settings)
    with project.state.lock("run"):
        _require_settled(project)
        started = _release(project, _planned(project), found, golden)
        _forget_rotation(project, env_file)
        return started


def rollback(
    project: Project, *, to: str = "", env_file: Path | None = None, ask: Callable[[], str] | None = None
) -> run.Started:
    """Bring back the previous good release, or the one that is named, through the same gate and swap.

    Its image and settings are those of its time; the key is the one of the container that runs, if any does.

    Raises:
        EngineError: There is no such release, or its image is gone.
        SettingsError: `to` names none.
    """
    settings, engine = project.settings, project.engine
    with project.state.lock("run"):
        _require_settled(project)
        known = run.Releases(project.state, settings.run.name)
        facts = engine.daemon.container(settings.run.name)
        mine = facts if facts and run.ours(facts, settings.image) else None
        number = int(mine.labels.get(plan.RELEASE, "0")) if mine else 0
        release = known.find(to) if to else known.previous(number, mine.image_id if mine else "")
        _require_image(project, release)
        if mine and env_file is None:
            found = key.Key(value=SecretStr(run.keys_of(mine, engine)), origin=f"the running {mine.name}")
        else:
            found = keys.in_use(project, env_file=env_file, ask=ask)
        base = _planned(project)
        planned = plan.from_record(release.plan, base)
        project.console.note(f"Going back to release {release.number}: {release.digest}, of {release.time}.")
        for each in plan.differences(planned, base):
            project.console.note(f"As it was then, {each}", style="yellow")
        golden = tuple(smoke.Golden(**each) for each in release.asked)
        started = _release(project, planned, found, golden, release=release)
        _forget_rotation(project, env_file)
        return started


def releases(project: Project) -> tuple[run.Row, ...]:
    """Return the releases that are known, the newest first."""
    name = project.settings.run.name
    facts = project.engine.daemon.container(name)
    runs = facts.labels.get(plan.RELEASE) if facts and facts.status == "running" else None
    daemon = project.engine.daemon
    return tuple(
        run.row(each, runs=str(each.number) == runs, here=daemon.image(each.tag) is not None)
        for each in reversed(run.Releases(project.state, name).all())
    )


def settle(project: Project) -> None:
    """Finish or undo what a killed command left, and say so; the lock is held."""
    planned = _planned(project)
    if run.unsettled(planned, project.engine, project.state):
        told = run.recover(
            planned,
            engine=project.engine,
            state=project.state,
            announce=project.announce,
            traffic=traffic_of(project),
        )
        project.console.note(told, style="yellow")


def _require_settled(project: Project) -> None:
    """Settle, and refuse to go on where that did not succeed: names and ports of a swap are still taken."""
    settle(project)
    if run.unsettled(_planned(project), project.engine, project.state):
        raise EngineError(
            "What a killed command left is not in order yet, so nothing was started.",
            f"The container that was set aside for {project.settings.run.name} could not be brought back.",
            "Mend what is said above (`invoke doctor` and `docker ps --all` help), then run it again.",
        )


def look(project: Project) -> None:
    """Settle, unless another command is at it: then say who; say too if a key's rotation is not finished."""
    rotation = run.Rotation(project.state, project.settings.run.name).read()
    if rotation and rotation.unfinished:
        project.console.note(rotation.unfinished, style="yellow")
    if not run.unsettled(_planned(project), project.engine, project.state):
        return
    try:
        with project.state.lock("run"):
            settle(project)
    except LockedError as error:
        project.console.note(f"Another command is at work. {error.why}", style="yellow")


def _release(
    project: Project,
    planned: plan.RunPlan,
    found: key.Key,
    golden: tuple[smoke.Golden, ...],
    *,
    release: run.Release | None = None,
) -> run.Started:
    settings = project.settings
    order = run.Order(
        plan=planned if release is None else replace(planned, image=release.tag),
        key=found,
        prove=lambda facts: prove(project, facts, golden),
        route=settings.smoke.ready,
        watch=settings.run.watch,
        keep=settings.run.keep_releases,
        origin=release.source if release else 0,
        asked=tuple(asdict(each) for each in golden),
    )
    traffic = traffic_of(project)
    started = run.replace(order, engine=project.engine, state=project.state, announce=project.announce, traffic=traffic)
    for note in started.notes:
        project.console.note(note)
    return started


def prove(project: Project, facts: ContainerFacts, golden: tuple[smoke.Golden, ...]) -> tuple[Mapping[str, Any], ...]:
    """Ask a container all that `invoke smoke` asks of one that goes on.

    Raises:
        UnhealthyError: A probe failed.
    """
    results = smoke.probe(target_of(project, facts), golden=golden)
    todo = "Mend the cause above, or say in [tool.dockyard.smoke] what this service has; then run it again."
    smoke.require(results, facts.name, todo)
    return tuple(asdict(each) for each in results)


def _planned(project: Project) -> plan.RunPlan:
    return plan.production_plan(project.settings, token=secrets.token_hex(4))


def _forget_rotation(project: Project, env_file: Path | None) -> None:
    """A key that somebody gave by hand is the key from now on, whatever was rotated before."""
    if env_file:
        run.Rotation(project.state, project.settings.run.name).forget()


def _require_image(project: Project, release: run.Release) -> None:
    image = project.engine.daemon.image(release.tag)
    if image is None or image.id != release.digest:
        there = ", ".join(str(each.number) for each in releases(project) if each.here and not each.runs) or "none"
        raise EngineError(
            f"The image of release {release.number} is gone, so nothing was changed.",
            f"{release.tag} ({release.digest}) was removed from the engine.",
            f"Build {release.revision or release.version} again, or take one whose image is there (--to): {there}.",
        )
