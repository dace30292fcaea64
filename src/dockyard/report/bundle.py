"""A bundle for people: what it is of, and how much of each kind is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.bundle import KINDS, name_of
from dockyard.report.size_treemap import width
from dockyard.report.words import clipped, harmless
from dockyard.units import amount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.bundle import Manifest, Member, Verified
    from dockyard.report.console import Console

COLUMNS = ("count", "size", "kind", "such as")
SHORTEST = 20
# What the columns before the last one take, and the gaps behind them.
TAKEN = 5 + 2 + 8 + 2 + max(map(len, KINDS.values())) + 2


def show(console: Console, verified: Verified) -> None:
    """Print what is in a bundle."""
    manifest = verified.manifest
    console.say(harmless(f"{verified.path}: {_headline(manifest)}"))
    size = amount(sum(member.size for member in manifest.members))
    console.say(harmless(f"{size} in {len(manifest.members)} files, made by dockyard {manifest.tool}"))
    console.say(f"manifest sha256:{verified.digest}")
    console.say("")
    console.table(COLUMNS, _rows(manifest))
    for python, why in manifest.left_out.items():
        console.note(harmless(f"Python {python} is not in it. {why}"), style="yellow")


def _headline(manifest: Manifest) -> str:
    commit, dirty, _ = manifest.commit.partition("-dirty")
    at = f" at {commit[:12]}{dirty}" if commit else ""
    pythons = ", ".join(each.python for each in manifest.pythons)
    return f"{manifest.project} {manifest.project_version}{at}, for Python {pythons} on {manifest.platform}"


def _rows(manifest: Manifest) -> Iterator[tuple[str, str, str, str]]:
    room = max(width() - TAKEN, SHORTEST)
    for kind, name in KINDS.items():
        members = manifest.of(kind)
        if members:
            largest = sorted(members, key=lambda each: (-each.size, each.name))
            names = ", ".join(dict.fromkeys(_named(manifest, each) for each in largest))
            size = amount(sum(each.size for each in members))
            yield f"{len(members):>5}", f"{size:>8}", name, clipped(harmless(names), room)


def _named(manifest: Manifest, member: Member) -> str:
    """Return what a person calls a member: an image by its name, a wheel by its own and its version."""
    if member.kind == "image":
        return next((each.reference for each in manifest.images if each.member == member.name), member.file)
    return " ".join(name_of(member.file)).strip() if member.kind in ("wheel", "toolkit") else member.file
