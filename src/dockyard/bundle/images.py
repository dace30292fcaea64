"""The images of a bundle: saved as the engine sends them, and loaded where the engine has them not."""

from __future__ import annotations

import json
import re
import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dockyard.bundle.manifest import FOLDERS, SavedImage
from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dockyard.engines import Engine
    from dockyard.engines.facts import ImageFacts
    from dockyard.machine import Base

CONFIG = re.compile(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?")


def name_of_loaded(reference: str) -> str:
    """Return the name by which an engine has an image that it loaded: no engine finds it by its digest, then."""
    name, named_so, digest = reference.partition("@")
    if not named_so:
        return reference
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}:{digest.replace(':', '-')}"


def save(engine: Engine, reference: str, folder: Path, *, why: str, base: Base | None = None) -> SavedImage:
    """Save an image into a staging folder; one that the engine has not is pulled.

    Args:
        engine: Who has it.
        reference: Its name.
        folder: That folder.
        why: What the Dockerfile wants it for.
        base: What is known of it if it is a base.

    Raises:
        EngineError: It cannot be had.
    """
    if engine.daemon.image(reference) is None:
        engine.buildx.pull(reference)
    facts = engine.daemon.image(reference)
    if facts is None:
        raise EngineError(f"{reference} did not come.", "The engine has it not.", "Pull it, then try again.")
    name = f"{FOLDERS['image']}{re.sub(r'[^A-Za-z0-9._-]', '_', reference)}.tar"
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file, _by_tag(engine, reference) as tag:
        for chunk in engine.daemon.save(tag):
            file.write(chunk)
    return SavedImage(
        reference=reference,
        ids=tuple(dict.fromkeys((facts.id, *_configurations(path)))),
        member=name,
        official=base.official if base else True,
        digest=base.digest if base else facts.digest,
        why=why,
    )


@contextmanager
def _by_tag(engine: Engine, reference: str) -> Iterator[str]:
    """Yield the name that an image is saved by; one that it has not of itself is taken from it again."""
    tag = name_of_loaded(reference)
    given = tag != reference and engine.daemon.image(tag) is None
    if given:
        engine.buildx.tag(reference, tag)
    try:
        yield tag
    finally:
        if given:
            engine.buildx.remove_image(tag)


def _configurations(path: Path) -> list[str]:
    """Return the ids that the images of an archive have in an engine that knows no manifests."""
    with tarfile.open(path) as archive:
        member = archive.extractfile("manifest.json")
        told = json.load(member) if member else []
    found = (CONFIG.fullmatch(each["Config"]) for each in told)
    return [f"sha256:{each[1]}" for each in found if each]


def is_there(engine: Engine, image: SavedImage) -> bool:
    """Whether the engine has this very image under its name."""
    facts = engine.daemon.image(name_of_loaded(image.reference))
    return facts is not None and facts.id in image.ids


def load(engine: Engine, image: SavedImage, archive: Path, announce: Callable[[str], None]) -> None:
    """Load an image, which takes its name from another that had it, and see that it is the one that was saved.

    Raises:
        EngineError: It is not.
    """
    name = name_of_loaded(image.reference)
    other = engine.daemon.image(name)
    engine.buildx.load(archive)
    facts = engine.daemon.image(name)
    if facts is None or facts.id not in image.ids:
        raise EngineError(
            f"{image.reference} is not what the bundle says.",
            f"It was loaded as {facts.id if facts else 'nothing'}; {' or '.join(image.ids)} was expected.",
            "Make the bundle again.",
        )
    announce(_loaded(image, other))


def _loaded(image: SavedImage, other: ImageFacts | None) -> str:
    if other is None:
        return f"{image.reference} is loaded from the bundle."
    return f"{image.reference} is loaded from the bundle; until now {other.id[7:19]} was called so."
