"""What two images differ in, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.report.progress_words import short
from dockyard.report.reproduce_json import document
from dockyard.report.words import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockyard.report.console import Console
    from dockyard.reproduce import Difference, How, Place, Rebuilt

SHOWN = 3


def show(console: Console, rebuilt: Rebuilt, *, against: str, as_json: bool) -> None:
    """Print what came of it: the digest if there is but one, else the differences, in their order."""
    if as_json:
        console.document(document(rebuilt, against=against))
        return
    found = rebuilt.comparison
    took = " and ".join(f"{each:.1f} s" for each in rebuilt.seconds)
    console.note(f"Built without the cache of layers in {took}.")
    if not found.differences:
        console.say(found.digests[0])
        return
    if against:
        console.say(f"{found.digests[0]} built here")
        console.say(f"{found.digests[1]} {against}")
    else:
        console.say(f"{found.digests[0]} and {found.digests[1]}")
    if found.alike:
        console.say("Layers and configuration are equal; they are packed otherwise.")
    for depth, line in _told(found.differences):
        console.say("  " * depth + harmless(line))


def _told(differences: Sequence[Difference]) -> Iterator[tuple[int, str]]:
    """Yield lines and how deep they stand: each place once, and of what differs in one way there, the first few."""
    groups: dict[Place | None, dict[tuple[How, str], list[Difference]]] = {}
    for each in differences:
        groups.setdefault(each.place, {}).setdefault((each.seen.how, each.remedy), []).append(each)
    for place, ways in groups.items():
        yield from ((0, ""), (0, _place(place)))
        for (_, remedy), those in ways.items():
            for each in those[:SHOWN]:
                yield 1, f"{each.subject or 'the layer itself'}: {each.seen.told}"
                yield from ((2, line) for line in each.seen.diff)
            if len(those) > SHOWN:
                yield 1, f"… and {len(those) - SHOWN} more like these: `--format json` has them all."
            yield 2, f"remedy: {remedy}"
    for stage in dict.fromkeys(place.source for place in groups if place and place.source):
        yield 0, ""
        yield 0, f"Files of the stage {stage} differ: `invoke reproduce --target {stage}` says which step makes them."


def _place(place: Place | None) -> str:
    if place is None:
        return "configuration"
    where = f", line {place.line}" if place.line else ""
    return f"layer {place.layer}{where}: {short(place.instruction)}".removesuffix(": ")
