"""The gateway of a project's service: where it is, what it is made of, how requests get through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard import gateway, machine, plan, run
from dockyard.errors import EngineError
from dockyard.pipeline.planned import build_secrets

if TYPE_CHECKING:
    from dockyard.engines.facts import ContainerFacts
    from dockyard.pipeline.project import Project


def process_of(project: Project) -> gateway.Process:
    """Return the gateway's container, whether it is there or not."""
    return gateway.Process(
        engine=project.engine,
        plan=plan.production_plan(project.settings, token="none"),  # noqa: S106 - of a name
        route=project.settings.smoke.ready,
        image=lambda: _image(project),
    )


def traffic_of(project: Project) -> run.Traffic:
    """Return how requests get to the production container: straight, or through the gateway that is wanted or there."""
    process, wanted = process_of(project), project.settings.run.gateway
    return gateway.Gateway(process=process, wanted=wanted) if wanted or process.facts else run.Direct()


def url_of(project: Project, facts: ContainerFacts) -> str:
    """Return where users reach a container: the serving one through the gateway that it is behind."""
    if facts.name == project.settings.run.name and gateway.behind(facts):
        return process_of(project).url
    return run.url_of(facts, project.settings.run.container_port)


def _image(project: Project) -> str:
    """Return the image; where the base is not at hand, one that was made on another."""
    try:
        base = machine.base_for(project.settings.python, project.wanted, project.engine)
    except EngineError:
        there = project.engine.daemon.images(gateway.LABEL)
        if there:
            return there[0]
        raise
    with build_secrets(project) as secrets:
        return gateway.image_for(base, secrets=secrets, engine=project.engine, announce=project.announce)
