"""What came, went and changed between two lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dockyard.sbom.listed import Listed


@dataclass(frozen=True, kw_only=True)
class Change:
    """One package that is not what it was; of several versions of it, all are told.

    Attributes:
        old: Versions before; empty of what is new.
        new: Versions now; empty of what is gone.
    """

    kind: str
    name: str
    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def how(self) -> Literal["added", "removed", "changed"]:
        """What happened to it."""
        if not self.old:
            return "added"
        return "changed" if self.new else "removed"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two lists compared.

    Attributes:
        reference: What the other one is called.
        same: How many packages are in both with the same versions.
    """

    reference: str
    changes: tuple[Change, ...]
    same: int

    def of(self, how: str) -> tuple[Change, ...]:
        """Return the changes of one sort."""
        return tuple(each for each in self.changes if each.how == how)


def compare(before: Iterable[Listed], after: Iterable[Listed], *, reference: str) -> Comparison:
    """Return what changed, by kind and name."""
    old, new = _versions(before), _versions(after)
    changes = tuple(
        Change(kind=kind, name=name, old=old.get((kind, name), ()), new=new.get((kind, name), ()))
        for kind, name in sorted(old.keys() | new.keys())
        if old.get((kind, name)) != new.get((kind, name))
    )
    same = sum(old[each] == new[each] for each in old.keys() & new.keys())
    return Comparison(reference=reference, changes=changes, same=same)


def _versions(listed: Iterable[Listed]) -> dict[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], set[str]] = {}
    for each in listed:
        found.setdefault((each.kind, each.name), set()).add(each.version)
    return {key: tuple(sorted(versions)) for key, versions in found.items()}
