"""A service that was looked at from the outside in: each thing with its evidence, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dockyard.errors import UnhealthyError

if TYPE_CHECKING:
    from dockyard.run.diagnose import Diagnosis

State = Literal["ok", "found", "failed", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that was looked at.

    Attributes:
        state: ok, found (worth knowing, no fault), failed, or unknown: it could not be seen, and counts as neither.
        detail: The evidence.
    """

    subject: str
    state: State
    detail: str


@dataclass(frozen=True, kw_only=True)
class Examined:
    """A service that was looked at: every line, and what is wrong with it."""

    name: str
    lines: tuple[Line, ...]
    diagnosis: Diagnosis | None

    @property
    def failed(self) -> tuple[Line, ...]:
        """What is broken, the outermost first."""
        return tuple(line for line in self.lines if line.state == "failed")


def require_sound(examined: Examined, *, dev: bool = False) -> None:
    """Raise UnhealthyError if anything is broken."""
    if not examined.failed:
        return
    first = examined.failed[0]
    found = examined.diagnosis
    start = "`invoke run`" if dev else "`invoke run --prod`"
    known = found is not None and found.cause
    why = found.why if found and known else "\n".join(f"{each.subject}: {each.detail}" for each in examined.failed)
    todo = found.todo if found and known else f"Mend what failed, the first first; then {start} starts it anew."
    raise UnhealthyError(f"{examined.name} is broken: {first.subject} failed.", why, todo)
