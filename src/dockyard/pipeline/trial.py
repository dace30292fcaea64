"""Containers asked whether they do what they should: the running one, and throwaways."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dockyard import run, smoke
from dockyard.errors import EngineError
from dockyard.pipeline.gateway import url_of
from dockyard.run.throwaway import throwaway as begin
from dockyard.run.wait import until_healthy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockyard.engines.facts import ContainerFacts
    from dockyard.pipeline.project import Project


def target_of(project: Project, facts: ContainerFacts) -> smoke.Target:
    """Return a running container with its address and its key, ready to be asked; refuse one that does not run."""
    if facts.status != "running":
        raise EngineError(f"{facts.name} does not run.", f"It is {facts.status}.", "Start it with `invoke run --prod`.")
    url = url_of(project, facts)
    if not url:
        raise EngineError(
            f"{facts.name} runs, and cannot be reached.",
            f"Its port {project.settings.run.container_port} is not published: it was cut off from its network.",
            "`invoke run --prod` puts a whole one in its place.",
        )
    return smoke.Target(
        facts=facts,
        url=url,
        key=run.key_of(facts, project.engine),
        settings=project.settings,
        engine=project.engine,
    )


def first_prediction(project: Project) -> tuple[smoke.Golden, smoke.Answer] | None:
    """Ask the running container for the first golden prediction; None where no golden file is set.

    Raises:
        UnhealthyError: The answer is not the golden one.
    """
    golden = smoke.read_golden(project.settings)
    if not golden:
        return None
    facts = run.own_container(project.settings.run.name, project.settings.image, project.engine)
    target = target_of(project, facts)
    answer = target.predict(golden[0].request, key=target.key)
    smoke.require((smoke.compare(golden[0], answer, project.settings.smoke.tolerance),))
    return golden[0], answer


def smoke_running(project: Project, announce: Callable[[smoke.Result], None]) -> tuple[smoke.Result, ...]:
    """Probe the running container, then show on a twin of it that SIGTERM ends it gracefully."""
    facts = run.own_container(project.settings.run.name, project.settings.image, project.engine)
    results = smoke.probe(target_of(project, facts), announce)
    with throwaway(project, facts.image_id) as target:
        stopped = smoke.stop_gracefully(target)
    announce(stopped)
    return (*results, stopped)


def smoke_image(project: Project, image: str, announce: Callable[[smoke.Result], None]) -> tuple[smoke.Result, ...]:
    """Start an image under the production profile, probe it, stop it, and remove it on every path."""
    with throwaway(project, image) as target:
        results = smoke.probe(target, announce)
        stopped = smoke.stop_gracefully(target)
    announce(stopped)
    return (*results, stopped)


@contextmanager
def throwaway(project: Project, image: str) -> Iterator[smoke.Target]:
    """Run an image as in production, under its own name, on a free port, with its own key and logs folder."""
    with begin(project.settings, image, engine=project.engine) as begun:
        until_healthy(begun.name, daemon=project.engine.daemon, seconds=project.settings.run.wait)
        yield target_of(project, run.own_container(begun.name, project.settings.image, project.engine))
