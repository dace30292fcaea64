"""What changed between two images, in bytes that add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dockyard.size.measure import NO_OWNER, folder_of, pulled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.size.measure import LayerSize, Measured

DEPTH = 3


@dataclass(frozen=True, kw_only=True)
class Change:
    """One distribution, or the other files of one folder.

    Attributes:
        before: Bytes; None where it was not there.
        after: Bytes; None where it is gone.
        old: Its version, or its versions, before.
        new: The same after.
    """

    kind: Literal["distribution", "folder"]
    name: str
    before: int | None
    after: int | None
    old: str = ""
    new: str = ""

    @property
    def delta(self) -> int:
        """Bytes that it grew by."""
        return (self.after or 0) - (self.before or 0)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two images; the changes' deltas add up to `delta`.

    Attributes:
        download: What a pull costs a machine that has the other image; None where that cannot be told.
        shared: Layers of the image that the other has too.
        changes: The largest first, whichever way.
    """

    reference: str
    before: int
    after: int
    download: int | None
    shared: tuple[LayerSize, ...]
    changes: tuple[Change, ...]

    @property
    def delta(self) -> int:
        """Bytes that a container sees more."""
        return self.after - self.before


def compare(before: Measured, after: Measured) -> Comparison:
    """Compare an image with another."""
    there = {each.diff_id for each in before.layers}
    changes = [*_distributions(before, after), *_folders(before, after)]
    return Comparison(
        reference=before.reference,
        before=before.total,
        after=after.total,
        download=pulled(each for each in after.layers if each.diff_id not in there),
        shared=tuple(each for each in after.layers if each.diff_id in there),
        changes=tuple(sorted(changes, key=lambda each: (-abs(each.delta), each.kind, each.name))),
    )


def _distributions(before: Measured, after: Measured) -> list[Change]:
    """Return what changed; one that is installed twice is compared as one."""
    (old, old_versions), (new, new_versions) = _installed(before), _installed(after)
    return [
        Change(
            kind="distribution",
            name=name,
            before=old.get(name),
            after=new.get(name),
            old=old_versions.get(name, ""),
            new=new_versions.get(name, ""),
        )
        for name in old.keys() | new.keys()
        if (old.get(name), old_versions.get(name)) != (new.get(name), new_versions.get(name))
    ]


def _installed(measured: Measured) -> tuple[Mapping[str, int], Mapping[str, str]]:
    sizes: dict[str, int] = {}
    versions: dict[str, set[str]] = {}
    for each in measured.distributions:
        sizes[each.key] = sizes.get(each.key, 0) + each.bytes
        versions.setdefault(each.key, set()).add(each.version)
    return sizes, {name: ", ".join(sorted(told)) for name, told in versions.items()}


def _folders(before: Measured, after: Measured) -> list[Change]:
    old, new = _others(before), _others(after)
    return [
        Change(kind="folder", name=name, before=old.get(name), after=new.get(name))
        for name in old.keys() | new.keys()
        if old.get(name, 0) != new.get(name, 0)
    ]


def _others(measured: Measured) -> Mapping[str, int]:
    """Return the bytes of what is of no distribution, by folder."""
    sizes: Counter[str] = Counter()
    for each in measured.files:
        if each.owner == NO_OWNER:
            sizes[folder_of(each.path, DEPTH)] += each.size
    return sizes
