"""What BuildKit attested of a build, read back from the engine: no word of the builder is taken for it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dockyard.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dockyard.engines import Engine
    from dockyard.plan import BuildPlan

INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True, kw_only=True)
class Made:
    """What came of a build.

    Attributes:
        digest: Of the image's manifest, or of its configuration where the store has no manifests.
        index: Of the index around it; empty without one.
        platforms: Of the manifest of each platform, in an index of several.
    """

    digest: str
    index: str = ""
    platforms: tuple[str, ...] = ()
    statements: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)


def read_back(plan: BuildPlan, engine: Engine, told: Mapping[str, Any], hidden: Iterable[str]) -> Made:
    """Return the digests of what was built, and what the engine has of attestations about it.

    Args:
        plan: The build.
        engine: That has the image.
        told: What buildx wrote of the build.
        hidden: Values of secrets, which must not be in it.

    Raises:
        BuildError: One of them is.
        EngineError: The image cannot be read back.
    """
    digest = told.get("containerimage.digest") or told.get("containerimage.config.digest") or ""
    if not plan.provenance or (told.get("containerimage.descriptor") or {}).get("mediaType") != INDEX:
        return Made(digest=digest)
    from dockyard import image  # noqa: PLC0415 - few want it

    found = image.attested(engine.daemon.save(plan.tags[0]), digest, max(1, len(plan.platforms)))
    said = [word for each in found.statements for word in _words(each)]
    if any(secret in word for secret in hidden for word in said):
        raise BuildError(
            f"The provenance of {plan.tags[0]} holds the value of a secret, so it must not be pushed.",
            "A build argument, a label or a line of the Dockerfile has the same value as a file that a step mounts.",
            f"Take it out of there, change that secret, and remove the image: `docker image rm {plan.tags[0]}`.",
        )
    if len(found.images) == 1:
        return Made(digest=found.images[0], index=digest, statements=found.statements)
    return Made(digest=digest, index=digest, platforms=found.images, statements=found.statements)


def _words(told: object) -> Iterator[str]:
    """Yield every text of a document; BuildKit puts the Dockerfile into it encoded."""
    if isinstance(told, dict):
        for name, value in told.items():
            yield name
            yield from _words(value)
    elif isinstance(told, list):
        for each in told:
            yield from _words(each)
    elif isinstance(told, str):
        yield told
        try:
            yield base64.b64decode(told, validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return
