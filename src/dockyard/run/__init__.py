"""image -> container: start it, wait until it is healthy, put the old one back if it is not, stop it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.errors import EngineError, Interrupted, UnhealthyError
from dockyard.plan import KEY_FILE, PROJECT, ROLE, SECRETS
from dockyard.run import logs_folder, ports
from dockyard.run.wait import until_healthy

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.engines import Engine
    from dockyard.engines.facts import ContainerFacts
    from dockyard.plan import RunPlan
    from dockyard.settings.key import Key


@dataclass(frozen=True, kw_only=True)
class Started:
    """A healthy container.

    Attributes:
        url: Where it answers on this host.
        seconds: From its start until it was healthy.
        replaced: Whether it took another one's place.
        notes: What was done on the way that a person should know.
    """

    name: str
    url: str
    seconds: float
    replaced: bool
    notes: tuple[str, ...]


def start(
    plan: RunPlan,
    key: Key,
    *,
    engine: Engine,
    announce: Callable[[str], None] = lambda _: None,
    awaited: bool = True,
) -> Started:
    """Start a container and, if it is `awaited`, wait until it is healthy; take the place of the one of its name.

    Everything that can be refused is refused before anything changes. If the new container does not become healthy it
    is removed and the old one is started again.

    Raises:
        EngineError: No image, port taken, name taken by something that is not ours, logs folder unusable.
        UnhealthyError: It did not become healthy.
        Interrupted: Ctrl-C; what was begun is undone.
    """
    old = _examine(plan, engine)
    notes = [
        f"{folder} was made writable for group {plan.group}; its owner stays."
        for folder in plan.writable_folders()
        if logs_folder.prepare(folder, user=plan.user, image=plan.image, buildx=engine.buildx)
    ]
    try:
        _write_key(plan, key, engine)
        engine.buildx.require_network(plan.network, {PROJECT: plan.labels[PROJECT]})
        if old:
            _set_aside(old, plan, engine)
        engine.buildx.run(plan.image, plan.command, **plan.options())
        seconds = (
            until_healthy(plan.name, daemon=engine.daemon, seconds=plan.wait, announce=announce, routes=plan.routes)
            if awaited
            else 0.0
        )
    except KeyboardInterrupt:
        left = _undo(plan, old, engine)
        raise Interrupted(f"{plan.name} was not started.", "Ctrl-C was pressed.", left) from None
    except (EngineError, UnhealthyError) as error:
        error.todo += f" {_undo(plan, old, engine)}"
        raise
    if old:
        remove(f"{plan.name}-previous", engine)
    return Started(
        name=plan.name,
        url=url_of(engine.daemon.container(plan.name), plan.container_port),
        seconds=seconds,
        replaced=old is not None,
        notes=tuple(notes),
    )


def url_of(facts: ContainerFacts | None, container_port: int) -> str:
    """Return where a container answers on this host, for instance `http://127.0.0.1:8000`; empty if nowhere."""
    if facts is None or f"{container_port}/tcp" not in facts.ports:
        return ""
    address, port = facts.ports[f"{container_port}/tcp"]
    address = "127.0.0.1" if address in ("", "0.0.0.0", "::") else address  # noqa: S104 - compared
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def ours(facts: ContainerFacts, project: str) -> bool:
    """Whether we started a container for a project; the project's label alone comes with the image to anyone's."""
    return facts.labels.get(PROJECT) == project and ROLE in facts.labels


def own_container(name: str, project: str, engine: Engine) -> ContainerFacts:
    """Return our container of a name; raise EngineError if there is none or it is somebody else's."""
    facts = engine.daemon.container(name)
    if facts is None or not ours(facts, project):
        why = "There is no container of that name." if facts is None else "The container of that name is not ours."
        raise EngineError(f"{name} does not run.", why, "Start it with `invoke run --prod` or `invoke run`.")
    return facts


def key_of(facts: ContainerFacts, engine: Engine) -> str:
    """Return the first key that a container was given."""
    files = engine.daemon.read_folder(facts.id, KEY_FILE)
    if not files:
        raise EngineError(f"{facts.name} has no API key.", f"{KEY_FILE} is not in it.", "Start it with `invoke run`.")
    return next(iter(files.values())).decode("utf-8").split()[0]


def stop(facts: ContainerFacts, *, seconds: int, engine: Engine) -> int:
    """Stop a container with SIGTERM, SIGKILL after `seconds`; return its exit code."""
    engine.buildx.stop(facts.id, seconds=seconds)
    stopped = engine.daemon.container(facts.id)
    return stopped.exit_code if stopped else 0


def remove(name: str, engine: Engine) -> None:
    """Remove a container and the volume that carried its key."""
    facts = engine.daemon.container(name)
    if facts is None:
        return
    engine.buildx.remove(facts.id)
    volume = facts.mounts.get(SECRETS)
    if volume:
        engine.buildx.remove_volume(volume)


def _examine(plan: RunPlan, engine: Engine) -> ContainerFacts | None:
    """Refuse what cannot work, and return our container that has the name now."""
    _restore_interrupted(plan, engine)
    old = engine.daemon.container(plan.name)
    if old and not ours(old, plan.labels[PROJECT]):
        raise EngineError(
            f"There is a container {plan.name} that is not ours, so nothing was started or changed.",
            f"It runs {old.image} and was not started by dockyard.",
            "Rename or remove it, or choose another name: `name` in [tool.dockyard.run].",
        )
    if engine.daemon.image(plan.image) is None:
        raise EngineError(f"There is no image {plan.image}.", "The engine does not have it.", "Run `invoke build`.")
    ports.require_free(plan.address, plan.port, daemon=engine.daemon, own=old.id if old else None)
    return old


def _write_key(plan: RunPlan, key: Key, engine: Engine) -> None:
    """Put the key into its volume, readable by root and the container's group."""
    engine.daemon.write_volume(
        plan.key_volume,
        image=plan.image,
        name=KEY_FILE.removeprefix(f"{SECRETS}/"),
        content=key.value.get_secret_value().encode() + b"\n",
        group=plan.group,
        labels=plan.labels,
    )


def _set_aside(old: ContainerFacts, plan: RunPlan, engine: Engine) -> None:
    """Free the name and the port, and keep the old container whole."""
    engine.buildx.rename(old.id, f"{plan.name}-previous")
    engine.buildx.stop(old.id, seconds=plan.stop_timeout)


def _undo(plan: RunPlan, old: ContainerFacts | None, engine: Engine) -> str:
    """Remove what was begun, start the old container again, and say so."""
    with suppress(EngineError):
        begun = engine.daemon.container(plan.name)
        if begun and (old is None or begun.id != old.id):
            engine.buildx.remove(begun.id)
        if plan.key_volume in engine.daemon.volumes(f"{PROJECT}={plan.labels[PROJECT]}"):
            engine.buildx.remove_volume(plan.key_volume)
    if old is None:
        return "Nothing is left of the new container."
    try:
        engine.buildx.rename(old.id, plan.name)
    except EngineError:
        return "The old container was not touched."
    if old.status != "running":
        return "The old container is back, stopped as it was."
    try:
        engine.buildx.start(old.id)
        until_healthy(plan.name, daemon=engine.daemon, seconds=plan.wait)
    except (EngineError, UnhealthyError) as error:
        return f"The old container is back, but does not serve: {error.why}"
    return "The old container runs again."


def _restore_interrupted(plan: RunPlan, engine: Engine) -> None:
    """Finish what a killed run left: the container it set aside gets its name back, unless the new one is healthy."""
    aside, begun = engine.daemon.container(f"{plan.name}-previous"), engine.daemon.container(plan.name)
    if aside is None or not all(ours(each, plan.labels[PROJECT]) for each in (aside, begun) if each):
        return
    if begun and begun.health == "healthy":
        remove(aside.name, engine)
        return
    remove(plan.name, engine)
    engine.buildx.rename(aside.id, plan.name)
