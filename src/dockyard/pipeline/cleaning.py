"""What this project made on the engine, put away; what holds data only where that was said and confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard import plan, run
from dockyard.gateway.process import ROLE_NAME
from dockyard.observe.running import ANONYMOUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dockyard.engines.facts import ContainerFacts
    from dockyard.pipeline.project import Project

KEY, GATEWAY = "-key", f"-{ROLE_NAME}"


def clean(project: Project, *, images: bool, volumes: Iterable[str] = ()) -> Iterator[str]:
    """Remove what carries this project's label, and yield what was removed; no other command may be at it.

    A key's volume goes with its container, since it is made for it alone.

    Args:
        project: Whose things they are.
        images: The images too.
        volumes: These volumes too, which hold data; as `kept_volumes` names them.
    """
    with project.state.lock("run"):
        yield from _cleaned(project, images=images, volumes=volumes)


def _cleaned(project: Project, *, images: bool, volumes: Iterable[str]) -> Iterator[str]:
    engine = project.engine
    for facts in _containers(project):
        engine.buildx.remove(facts.id, volumes=False)
        yield f"container {facts.name}"
    for volume in _keys(project):
        engine.buildx.remove_volume(volume)
    for volume in volumes:
        engine.buildx.remove_volume(volume)
        yield f"volume {volume}"
    for network in engine.daemon.networks(project.label):
        engine.buildx.remove_network(network)
        yield f"network {network}"
    for reference in engine.daemon.images(project.label) if images else ():
        engine.buildx.remove_image(reference)
        yield f"image {reference}"


def kept_volumes(project: Project) -> dict[str, str]:
    """Return the volumes of this project that may hold data, and what tells them from others.

    These are those of its label, and those without a name that an image's VOLUME gave its containers.
    """
    labelled = dict.fromkeys(set(project.engine.daemon.volumes(project.label)) - set(_keys(project)), "")
    nameless = {
        name: f" ({facts.name} has it at {target})"
        for facts in _containers(project)
        for target, name in facts.mounts.items()
        if ANONYMOUS.fullmatch(name)
    }
    return dict(sorted({**labelled, **nameless}.items()))


def confirmed(project: Project, volumes: Mapping[str, str]) -> bool:
    """Ask the person at the terminal whether volumes may go; anything but a yes is a no."""
    project.console.note("These volumes would be removed, and all that is in them:")
    for volume, about in volumes.items():
        project.console.note(f"  {volume}{about}")
    project.console.note("Type yes to remove them:")
    try:
        return input().strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _containers(project: Project) -> tuple[ContainerFacts, ...]:
    there = project.engine.daemon.containers(label=project.label)
    return tuple(facts for facts in there if run.ours(facts, project.settings.image))


def _keys(project: Project) -> tuple[str, ...]:
    """Return the volumes that carry keys or a gateway's file: of our label, and of a role, which only ours have."""
    daemon = project.engine.daemon
    ours = set(daemon.volumes(project.label)) & set(daemon.volumes(plan.ROLE))
    return tuple(sorted(name for name in ours if KEY in name or name.endswith(GATEWAY)))
