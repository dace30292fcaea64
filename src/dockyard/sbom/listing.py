"""What was asked for: a bill, what changed in it, which licences are not allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockyard.sbom.bill import Bill
    from dockyard.sbom.compare import Comparison
    from dockyard.sbom.policy import Violation


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A bill and what is said of it.

    Attributes:
        comparison: With another one, if one was named.
        violations: Of the licence policy.
    """

    bill: Bill
    comparison: Comparison | None = None
    violations: tuple[Violation, ...] = ()
