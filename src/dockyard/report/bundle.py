"""A bundle for people: what it is of, and how much of each kind is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.bundle import KINDS
from dockyard.report.words import clipped, harmless
from dockyard.units import amount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.bundle import Manifest, Member, Verified
    from dockyard.report.console import Console

SUCH_AS = 3
LONGEST = 90


def show(console: Console, verified: Verified) -> None:
    """Print what is in a bundle."""
    manifest = verified.manifest
    console.say(f"{harmless(str(verified.path))}: {_headline(manifest)}")
    console.say(f"manifest sha256:{verified.digest}")
    console.say("")
    console.table(("count", "size", "kind", "such as"), _rows(manifest))
    for python, why in manifest.left_out.items():
        console.note(harmless(f"Python {python} is left out. {why}"), style="yellow")


def _headline(manifest: Manifest) -> str:
    commit = f" at {manifest.commit[:12]}{'-dirty' * manifest.commit.endswith('-dirty')}" if manifest.commit else ""
    pythons = ", ".join(each.python for each in manifest.pythons)
    size = amount(sum(member.size for member in manifest.members))
    told = f"{manifest.project} {manifest.project_version}{commit} for Python {pythons} on {manifest.platform}"
    return harmless(f"{told}; {size} in {len(manifest.members)} files, made by dockyard {manifest.tool}")


def _rows(manifest: Manifest) -> Iterator[tuple[str, str, str, str]]:
    for kind, name in KINDS.items():
        members = manifest.of(kind)
        if members:
            largest = sorted(members, key=lambda each: -each.size)
            names = ", ".join(_named(manifest, each) for each in largest[:SUCH_AS])
            size = amount(sum(each.size for each in members))
            yield f"{len(members):>5}", f"{size:>8}", name, clipped(harmless(names), LONGEST)


def _named(manifest: Manifest, member: Member) -> str:
    return next((each.reference for each in manifest.images if each.member == member.name), member.file)
