"""A built image -> its registry, signed; and what a deployment asks of a signature."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dockyard import push, revision
from dockyard.deploy.reference import read
from dockyard.errors import EngineError
from dockyard.push.access import Access, access
from dockyard.push.destination import HUB, require_free
from dockyard.push.send import Registry
from dockyard.settings.sources import process_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.engines.facts import ImageFacts
    from dockyard.pipeline.project import Project

PUSHES = "pushes"
KEPT_RECORDS = 50


@dataclass(frozen=True, kw_only=True)
class PushOptions:
    """How a push is asked for.

    Attributes:
        image: Reference; empty is the one that `run` starts.
        repository: Where to; empty is that of the settings.
        tags: Likewise.
        overwrite: Whether a tag of another image may be taken.
        sign: auto, cosign, notation or off; empty is that of the settings.
    """

    image: str = ""
    repository: str = ""
    tags: tuple[str, ...] = ()
    overwrite: bool = False
    sign: str = ""


def push_image(project: Project, options: PushOptions) -> push.Record:
    """Send an image to its registry under every tag, read it back, and sign it.

    Raises:
        DeployError: The registry failed, refused it, or has another image under one of the tags.
        EngineError: There is no such image, or no engine.
        SettingsError: It is not known where to, or how to log in or sign.
    """
    settings = project.settings
    commit = revision.read(settings.root).commit
    to = push.destination(settings, repository=options.repository, tags=options.tags, commit=commit)
    environment = process_environment()
    by, unsigned = push.signer(settings.sign, options.sign or settings.sign.tool, environment)
    image = options.image or settings.reference
    facts = _image(project, image)
    begun, started = time.monotonic(), datetime.now(UTC)
    with project.state.lock("push"), _access(project, to.registry) as door:
        registry = Registry(project.engine, to, door, settings.push, project.announce)
        expected = _expected(project, facts)
        before = {
            tag: registry.digest(to.tagged(tag), f"{to.registry} did not say what it has, so nothing was pushed.")
            for tag in to.tags
        }
        require_free(before, expected, to, overwrite=options.overwrite)
        done = []
        for tag in to.tags:
            project.announce(f"pushing {to.tagged(tag)}")
            project.engine.buildx.tag(facts.id, to.tagged(tag))
            done.append(push.send(registry, to, tag, before=before[tag], expected=expected))
        reference = to.by(done[0].digest)
        signature = push.sign(by, reference, door.environment) if by else unsigned
        record = push.Record(
            image=image,
            repository=to.repository,
            digest=done[0].digest,
            tags=tuple(done),
            signature=signature,
            started=started.isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - begun, 3),
        )
        project.state.write_record(f"{PUSHES}/{started:%Y%m%dT%H%M%S.%fZ}.json", asdict(record))
        project.state.keep(PUSHES, KEPT_RECORDS)
    return record


def require_signed(project: Project, image: str) -> None:
    """Raise DeployError unless an image is signed as the settings want; nothing if they want nothing.

    Args:
        project: Whose settings hold.
        image: That is to be deployed.
    """
    if not project.settings.deploy.verify:
        return
    by = push.verifier(project.settings.sign)
    with _access(project, read(image).registry or HUB) as door:
        push.verify(by, image, door.environment)
    project.announce(f"{by.tool} verified the signature of {image}")


@contextmanager
def _access(project: Project, registry: str) -> Iterator[Access]:
    folder = project.settings.state
    with access(project.settings.push, registry, folder, process_environment()) as door:
        yield door


def _image(project: Project, image: str) -> ImageFacts:
    facts = project.engine.daemon.image(image)
    if facts is None:
        raise EngineError(f"There is no image {image}.", "The engine does not have it.", "Run `invoke build`.")
    return facts


def _expected(project: Project, facts: ImageFacts) -> str:
    """Return the digest that an image will have in every registry; the classic store does not know it."""
    return facts.id if project.engine.daemon.server().containerd_store else ""
