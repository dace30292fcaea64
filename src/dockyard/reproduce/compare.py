"""Two saved images -> their differences: layers first, then the configuration, then what only a registry sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from dockyard import image
from dockyard.build import anchor
from dockyard.reproduce import configured, content, files
from dockyard.reproduce.difference import Difference, How, Place, Seen
from dockyard.reproduce.remedies import remedy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from dockyard.dockerfile import Dockerfile, Stage
    from dockyard.image import Image

    Opened = Callable[[], Iterator[bytes] | Path]
    Kept = Mapping[tuple[int, str], bytes]

# Of so many files of a layer the bytes are compared; that those of all others differ is said as well.
LOOKED_INTO = 2000
# Of a larger file only that it differs is said.
LARGEST = 1 << 20
LAYER_TEXT = 200


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What two images have in common, and what not.

    Attributes:
        digests: Of both manifests; of a configuration where an archive has no manifest.
        alike: Whether layers and configuration are equal, however they are packed.
        differences: In their order: layers from the lowest, configuration, packing.
    """

    digests: tuple[str, str]
    alike: bool
    differences: tuple[Difference, ...]


def compare(
    one: Opened, other: Opened, *, dockerfile: Dockerfile | None = None, stage: Stage | None = None, since: int = 0
) -> Comparison:
    """Compare two saved images; each is read a second time if files differ, to see how.

    Args:
        one: Opens the first.
        other: Opens the other.
        dockerfile: What made the first.
        stage: The stage of it that the first is.
        since: The earliest time that a build can have written into a file, in seconds.
    """
    images = image.read(one(), keep=_nothing), image.read(other(), keep=_nothing)
    digests = tuple(each.digest or each.id for each in images)
    alike = images[0].id == images[1].id
    found: list[Difference] = []
    if not alike:
        found = list(_of_layers(*images, _places(images[0], dockerfile, stage)))
        found = _looked_into(found, one, other, since)
        found += [
            Difference(place=None, subject=name, seen=seen, remedy=remedy("", seen))
            for name, seen in configured.differing(*images)
        ]
    found += _of_packing(*images)
    return Comparison(digests=(digests[0], digests[1]), alike=alike, differences=tuple(found))


def _nothing(*_: object) -> bool:
    return False


def _places(made: Image, dockerfile: Dockerfile | None, stage: Stage | None) -> list[Place]:
    """Return the place of each layer."""
    lines = anchor.lines_of_layers(dockerfile, made, stage) if dockerfile else {}
    instructions = {each.line: each for each in dockerfile.instructions} if dockerfile else {}
    names = {each.name for each in dockerfile.stages if each.name} if dockerfile else set()
    places = []
    for layer in made.layers:
        instruction = instructions.get(lines.get(layer.index, 0))
        history = made.history[layer.history].created_by if layer.history >= 0 else ""
        told = instruction.text if instruction else history
        source = (instruction.flag("from") or "").lower() if instruction and instruction.keyword == "COPY" else ""
        places.append(
            Place(
                layer=layer.index,
                line=instruction.line if instruction else 0,
                instruction=" ".join(told.split())[:LAYER_TEXT],
                source=source if source in names else "",
            )
        )
    return places


def _of_layers(one: Image, other: Image, places: list[Place]) -> Iterator[Difference]:
    """Yield what differs in the layers; of contents, only that they do."""
    for place, first, second in zip_longest(places, one.layers, other.layers):
        if first is None or second is None:
            detail = f"{len(one.layers)} and {len(other.layers)} layers; those before are compared"
            seen = Seen(how=How.LAYERS, detail=detail)
            yield Difference(place=place, subject="", seen=seen, remedy=remedy("", seen))
            return
        if first.diff_id != second.diff_id:
            for path, seen in files.differing(first, second):
                yield Difference(place=place, subject=path, seen=seen, remedy=remedy(path, seen))


def _looked_into(found: list[Difference], one: Opened, other: Opened, since: int) -> list[Difference]:
    """Return the differences with the contents compared."""
    of_layers: dict[Place | None, list[Difference]] = {}
    for each in found:
        if each.seen.how is How.CONTENT:
            of_layers.setdefault(each.place, []).append(each)
    wanted = [each for those in of_layers.values() for each in those[:LOOKED_INTO]]
    if not wanted:
        return found
    paths = {each.subject for each in wanted}
    kept = [
        image.read(opened(), keep=lambda path, size, _: path in paths and size <= LARGEST).kept
        for opened in (one, other)
    ]
    looked = {id(each): _contents(each, kept[0], kept[1], since) for each in wanted}
    return [looked.get(id(each), each) for each in found]


def _contents(difference: Difference, one: Kept, other: Kept, since: int) -> Difference:
    """Return a difference of content with its reason; as it is, if the bytes were too many to be kept."""
    key = (difference.place.layer if difference.place else 0, difference.subject)
    if key not in one or key not in other:
        detail = f"{difference.seen.detail}, too many to compare"
        return replace(difference, seen=replace(difference.seen, detail=detail))
    seen = content.seen(difference.subject, one[key], other[key], since=since)
    return replace(difference, seen=seen, remedy=remedy(difference.subject, seen))


def _of_packing(one: Image, other: Image) -> Iterator[Difference]:
    """Yield what differs in how equal layers are packed, and the manifest where nothing else explains it."""
    told = False
    for first, second in zip(one.layers, other.layers, strict=False):
        if first.diff_id == second.diff_id and first.digest != second.digest:
            told = True
            detail = f"its content is equal, its compressed bytes are not: {first.compressed} and {second.compressed}"
            seen = Seen(how=How.COMPRESSION, detail=detail)
            place = Place(layer=first.index, line=0, instruction="")
            yield Difference(place=place, subject="", seen=seen, remedy=remedy("", seen))
    if not told and one.id == other.id and one.digest and other.digest and one.digest != other.digest:
        seen = Seen(how=How.MANIFEST, detail=f"{one.digest[:19]} and {other.digest[:19]}")
        yield Difference(place=None, subject="manifest", seen=seen, remedy=remedy("", seen))
