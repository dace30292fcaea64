"""How a base stands beside its pin, and what that means for `--check`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dockyard.errors import AuditError, EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dockyard.machine.pins import Pin
    from dockyard.pin.ends import End
    from dockyard.pin.moved import Moved

State = Literal["pinned", "as pinned", "moved", "updated", "not pinned", "not checked", "refused"]
# What a check ends with: these say that the file is not what it should be, those that nobody can tell.
WRONG: frozenset[State] = frozenset({"moved", "not pinned"})
OPEN: frozenset[State] = frozenset({"not checked", "refused"})


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One base.

    Attributes:
        state: pinned (new), as pinned, moved (and left), updated, not pinned (and left), not checked, refused.
        pin: As it is in the file now, or would be where the state is `not pinned`; None if there is none.
        age: Of the pin in days.
        stale: Whether that is more than it may be.
        detail: Where that comes from, or why it could not be told.
        todo: The next step; empty if there is none.
        moved: What is not as it was pinned.
        ends: Of the support of what the base has now.
        problems: What could not be read of it.
    """

    reference: str
    state: State
    detail: str
    pin: Pin | None = None
    age: int = 0
    stale: bool = False
    todo: str = ""
    moved: Moved | None = None
    ends: tuple[End, ...] = ()
    problems: tuple[str, ...] = ()


def require(outcomes: Iterable[Outcome], *, check: bool) -> None:
    """Raise what keeps the pins from being what they should be.

    Args:
        outcomes: Of each base.
        check: Whether a base that moved, is not pinned or was pinned too long ago is a fault, too.

    Raises:
        EngineError: A base cannot be had; in a check also, that it cannot be checked.
        AuditError: In a check, that a pin is not right.
    """
    found = tuple(outcomes)
    wrong = [each for each in found if check and (each.state in WRONG or each.stale)]
    if wrong:
        told = "\n".join(f"{each.reference}: {_fault(each)}" for each in wrong)
        count = "One image is" if len(wrong) == 1 else f"{len(wrong)} images are"
        todo = "Run `invoke pin --update`, review what moved, and commit the file."
        raise AuditError(f"{count} not as pinned.", told, todo)
    unknown = [each for each in found if each.state == "refused" or (check and each.state in OPEN)]
    if unknown:
        listed = ", ".join(each.reference for each in unknown)
        raise EngineError(f"These images could not be looked at: {listed}.", unknown[0].detail, unknown[0].todo)


def _fault(outcome: Outcome) -> str:
    age = f"pinned {outcome.age} days ago" if outcome.stale else ""
    return ", ".join(filter(None, (outcome.state if outcome.state in WRONG else "", age)))
