"""The whole result of one measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockyard.size.budget import Breach
    from dockyard.size.compare import Comparison
    from dockyard.size.measure import Measured


@dataclass(frozen=True, kw_only=True)
class Sized:
    """An image's size.

    Attributes:
        comparison: With another image, if one was named.
        breaches: Budgets that are not met.
    """

    measured: Measured
    comparison: Comparison | None = None
    breaches: tuple[Breach, ...] = ()
