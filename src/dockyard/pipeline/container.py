"""The life of the project's containers, as operators command it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from dockyard import plan, run
from dockyard.pipeline import keys
from dockyard.settings import key
from dockyard.settings.sources import process_environment
from dockyard.state import PRIVATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dockyard.engines.facts import ContainerFacts
    from dockyard.pipeline.project import Project


def start_production(
    project: Project, *, env_file: Path | None = None, ask: Callable[[], str] | None = None
) -> run.Started:
    """Start the hardened container, or put it in the place of the one that runs."""
    found = keys.find(project, env_file=env_file, ask=ask)
    return _start(project, plan.production_plan(project.settings, token=secrets.token_hex(4)), found)


def start_development(project: Project) -> run.Started:
    """Start the container that serves the working tree."""
    given = key.Key(value=project.settings.dev.key, origin="`key` in [tool.dockyard.dev]")
    return _start(project, plan.development_plan(project.settings, token=secrets.token_hex(4)), given)


def _start(project: Project, planned: plan.RunPlan, given: key.Key) -> run.Started:
    console = project.console
    with project.state.lock("run"):
        started = run.start(planned, given, engine=project.engine, announce=lambda phase: console.note(f"… {phase}"))
    for note in started.notes:
        console.note(note)
    return started


def keep_key(project: Project) -> None:
    """Make and keep an API key, unless one is given or kept already."""
    given = {key.VARIABLE, f"{key.VARIABLE}_FILE"} & set(process_environment())
    if given or project.state.read_text(key.STORED) is not None:
        return
    path = project.state.write(key.STORED, f"{key.make().get_secret_value()}\n".encode(), mode=PRIVATE)
    project.console.note(f"API key: a new one was made and is kept in {path} (mode 0600).", style="yellow")


def asker() -> Callable[[], str] | None:
    """Return what asks a person for the key; None where nobody sits at a terminal."""
    import getpass  # noqa: PLC0415
    import sys  # noqa: PLC0415

    return (lambda: getpass.getpass("API key: ")) if sys.stdin.isatty() else None


def own(project: Project, *, dev: bool = False) -> ContainerFacts:
    """Return our production container, or the development one."""
    name = project.settings.dev.name if dev else project.settings.run.name
    return run.own_container(name, project.settings.image, project.engine)


def status(project: Project, *, dev: bool = False) -> dict[str, str]:
    """Return what an operator asks first, by its name."""
    facts = own(project, dev=dev)
    image = project.engine.daemon.image(facts.image_id)
    labels = image.labels if image else {}
    told = {
        "container": facts.name,
        "state": facts.status,
        "health": (facts.health or "no health check") if facts.status == "running" else "",
        "url": run.url_of(facts, project.settings.run.container_port) if facts.status == "running" else "",
        "image": facts.image,
        "digest": facts.image_id,
        "version": labels.get(f"{plan.OCI}.version", ""),
        "revision": labels.get(f"{plan.OCI}.revision", ""),
        "base": labels.get(f"{plan.OCI}.base.name", ""),
        "started": facts.started,
        "restarts": str(facts.restarts),
        "last health check": facts.health_output,
    }
    if facts.status == "running":
        told |= run.usage(project.engine.daemon.stats(facts.id))
    return told


def clean(project: Project, *, images: bool) -> Iterator[str]:
    """Remove what carries this project's label, and yield what was removed."""
    engine = project.engine
    for facts in engine.daemon.containers(label=project.label):
        if run.ours(facts, project.settings.image):
            run.remove(facts.name, engine)
            yield f"container {facts.name}"
    for volume in engine.daemon.volumes(project.label):
        engine.buildx.remove_volume(volume)
        yield f"volume {volume}"
    for network in engine.daemon.networks(project.label):
        engine.buildx.remove_network(network)
        yield f"network {network}"
    for reference in engine.daemon.images(project.label) if images else ():
        engine.buildx.remove_image(reference)
        yield f"image {reference}"
