"""What an offline build lacks, all of it at once: images, wheels, and what no bundle can hold."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.bundle.locks import Lock
    from dockyard.bundle.loose import Loose
    from dockyard.bundle.manifest import Manifest, Matrix
    from dockyard.dockerfile import Dockerfile, Instruction, Stage

WHEELS = "wheels"
REMOTE = ("http://", "https://", "git://", "git@", "ssh://")


@dataclass(frozen=True, kw_only=True)
class Need:
    """One build, and what a bundle would have to hold for it.

    Attributes:
        python: Of the image.
        platform: For instance linux/amd64.
        dockerfile: Read with the arguments of the build.
        target: The stage that is built.
        locks: As they are here.
        loose: What is installed without a lock.
        images: Images that the Dockerfile names, and what is taken in their places.
    """

    python: str
    platform: str
    dockerfile: Dockerfile
    target: Stage
    locks: tuple[Lock, ...]
    loose: tuple[Loose, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)


def changed(manifest: Manifest, locks: tuple[Lock, ...]) -> Iterator[Lock]:
    """Yield the locks that are not what they were when the bundle was made."""
    known = {each.file: each.sha256 for each in manifest.of("lock")}
    for lock in locks:
        if known.get(lock.name) != hashlib.sha256(lock.text.encode()).hexdigest():
            yield lock


def missing(manifest: Manifest, need: Need) -> tuple[str, ...]:
    """Return a line for each thing that a build wants and a bundle has not."""
    there = manifest.python(need.python)
    return (
        *_platform(manifest, need),
        *(_python(manifest, need) if there is None else _wheels(manifest, need, there)),
        *(_images(there, need) if there else ()),
        *_network(need),
    )


def _platform(manifest: Manifest, need: Need) -> Iterator[str]:
    if manifest.platform != need.platform:
        yield f"everything for {need.platform}: the bundle is for {manifest.platform}"


def _python(manifest: Manifest, need: Need) -> Iterator[str]:
    """Say that a Python is not there, and why it was left out."""
    why = manifest.left_out.get(need.python, "")
    has = ", ".join(each.python for each in manifest.pythons)
    yield f"base and wheels for Python {need.python}: the bundle has {has}{f'; left out: {why}' if why else ''}"


def _images(there: Matrix, need: Need) -> Iterator[str]:
    needed = {stage.index for stage in need.dockerfile.needed(need.target)}
    for each in need.dockerfile.externals():
        taken = need.images.get(each.reference, each.reference)
        if (each.stage is None or each.stage in needed) and taken not in there.images:
            yield f"image {each.reference} ({need.dockerfile.name}:{each.line}, {each.why})"


def _wheels(manifest: Manifest, need: Need, there: Matrix) -> Iterator[str]:
    wheels = [each for each in manifest.of("wheel") if each.name in there.wheels]
    edited = {lock.name for lock in changed(manifest, need.locks)}
    for lock in need.locks:
        since = "; the lock changed since the bundle" if lock.name in edited else ""
        for each in lock.unmet(wheels, there.environment):
            place = f"{each.place.file}:{each.place.line}"
            yield f"wheel {each.name} {each.version} for Python {need.python} ({place}{since})"
    for loose in need.loose:
        yield from (
            f"wheel {line} for Python {need.python} ({loose.place})" for line in loose.unmet(wheels, there.environment)
        )
    stages = {stage.name for stage in need.dockerfile.needed(need.target)}
    if (need.locks or any(each.lines for each in need.loose)) and WHEELS not in stages:
        yield f"a stage `{WHEELS}` in {need.dockerfile.name}, which the bundle's wheels could take the place of"


def _network(need: Need) -> Iterator[str]:
    """Yield what a build fetches by itself, past `--network=none`, and what asks for a network all the same."""
    for stage in need.dockerfile.needed(need.target):
        for each in stage.instructions:
            place = f"{need.dockerfile.name}:{each.line}"
            yield from (f"{source} ({place}, ADD)" for source in _remote(each))
            network = each.flag("network") or "none"
            if network == "host":
                yield f"the host's network ({place}, RUN --network=host)"


def _remote(instruction: Instruction) -> Iterator[str]:
    if instruction.keyword == "ADD":
        yield from (word for word in instruction.expanded[:-1] if word.startswith(REMOTE))
