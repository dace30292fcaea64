"""The life of the project's containers, as operators command it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from dockyard import gateway, plan, run
from dockyard.pipeline.gateway import process_of, url_of
from dockyard.pipeline.release import look, settle
from dockyard.settings import key
from dockyard.settings.sources import process_environment
from dockyard.state import PRIVATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockyard.engines.facts import ContainerFacts
    from dockyard.pipeline.project import Project


def start_development(project: Project) -> run.Started:
    """Start the container that serves the working tree."""
    given = key.Key(value=project.settings.dev.key, origin="`key` in [tool.dockyard.dev]")
    planned = plan.development_plan(project.settings, token=secrets.token_hex(4))
    with project.state.lock("run"):
        started = run.start(planned, given, engine=project.engine, announce=project.announce)
    for note in started.notes:
        project.console.note(note)
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


def stop(project: Project, *, dev: bool = False) -> tuple[str, int]:
    """Stop a container gracefully; return its name and exit code."""
    with project.state.lock("run"):
        settle(project)
        facts = own(project, dev=dev)
        if not dev and gateway.behind(facts):
            gateway.Gateway(process=process_of(project)).close(project.settings.run.stop_timeout)
        code = run.stop(facts, seconds=project.settings.run.stop_timeout, engine=project.engine)
    return facts.name, code


def status(project: Project, *, dev: bool = False) -> dict[str, str]:
    """Return what an operator asks first, by its name; finish or undo first what a killed command left."""
    look(project)
    facts = own(project, dev=dev)
    image = project.engine.daemon.image(facts.image_id)
    labels = image.labels if image else {}
    told = {
        "container": facts.name,
        "state": facts.status,
        "health": (facts.health or "no health check") if facts.status == "running" else "",
        "url": url_of(project, facts) if facts.status == "running" else "",
        "gateway": _gateway(project, facts),
        "image": facts.image,
        "release": facts.labels.get(plan.RELEASE, ""),
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


def _gateway(project: Project, facts: ContainerFacts) -> str:
    """Say how the gateway is, if the container is behind one."""
    process = process_of(project)
    if not gateway.behind(facts) or process.facts is None:
        return ""
    if not process.running:
        return f"{process.name}, {process.facts.status}"
    sends = "sends requests to it" if process.admin.serving(facts.id) else "answers 503"
    return f"{process.name}, {sends}"


def clean(project: Project, *, images: bool) -> Iterator[str]:
    """Remove what carries this project's label, and yield what was removed."""
    with project.state.lock("run"):
        yield from _clean(project, images=images)


def _clean(project: Project, *, images: bool) -> Iterator[str]:
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
