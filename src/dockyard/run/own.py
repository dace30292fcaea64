"""Our containers on an engine: which are ours, where they answer, what they use, how they end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.errors import EngineError
from dockyard.plan import KEY_FILE, PROJECT, ROLE, SECRETS

if TYPE_CHECKING:
    from dockyard.engines import Engine
    from dockyard.engines.daemon import Daemon
    from dockyard.engines.facts import ContainerFacts


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
    return keys_of(facts, engine).split()[0]


def keys_of(facts: ContainerFacts, engine: Engine) -> str:
    """Return all that a container has in its key file."""
    files = engine.daemon.read_folder(facts.id, KEY_FILE)
    if not files:
        raise EngineError(f"{facts.name} has no API key.", f"{KEY_FILE} is not in it.", "Start it with `invoke run`.")
    return next(iter(files.values())).decode("utf-8").strip()


def read_keys(container: str, daemon: Daemon) -> tuple[str, ...]:
    """Return every key that a container was given, to be taken out of what it says; none if it has no key file.

    Raises:
        EngineError: The container cannot be read.
    """
    files = daemon.read_folder(container, KEY_FILE)
    return tuple(key for content in files.values() for key in content.decode("utf-8", "replace").split())


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
