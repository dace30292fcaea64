"""What moved between two pins of one base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard import sbom
from dockyard.pin.contents import listed

if TYPE_CHECKING:
    from dockyard.machine.pins import Pin


@dataclass(frozen=True, kw_only=True)
class Moved:
    """One base, then and now.

    Attributes:
        facts: What is not as it was beside the packages: its name, then, now.
        packages: Which came, went and changed.
    """

    facts: tuple[tuple[str, str, str], ...]
    packages: sbom.Comparison


def moved(old: Pin, new: Pin) -> Moved:
    """Return what moved; the old image is not needed for it."""
    told = (("digest", old.digest, new.digest), ("system", old.system, new.system), ("python", old.python, new.python))
    return Moved(
        facts=tuple(each for each in told if each[1] != each[2]),
        packages=sbom.compare(listed(old.packages), listed(new.packages), reference=f"{old.pinned}"),
    )
