"""When each step of a build ran, what ran beside what, and the chain of steps that the build waited for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.build.steps import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.build import Step


@dataclass(frozen=True, kw_only=True)
class Span:
    """One step that ran.

    Attributes:
        label: What BuildKit prints in brackets, for instance `builder 7/8`.
        begin: Seconds after the first step of the build began.
        critical: Whether the build would have ended earlier, had this step been quicker.
    """

    label: str
    text: str
    begin: float
    seconds: float
    critical: bool


def timeline(steps: Mapping[str, Step]) -> tuple[Span, ...]:
    """Return the steps that ran, in the order in which they began.

    Args:
        steps: Those of a record, by label.
    """
    ran = {label: step for label, step in steps.items() if step.started and step.completed and not step.cached}
    if not ran:
        return ()
    begun = {label: moment(step.started) for label, step in ran.items()}
    first = min(begun.values())
    critical = _critical(ran)
    spans = (
        Span(
            label=label,
            text=step.instruction,
            begin=(begun[label] - first).total_seconds(),
            seconds=step.seconds,
            critical=label in critical,
        )
        for label, step in ran.items()
    )
    return tuple(sorted(spans, key=lambda span: (span.begin, span.label)))


def _critical(ran: Mapping[str, Step]) -> set[str]:
    """Return the chain that ends last: from its end, each time the input that was ready last."""
    labels = {step.name: label for label, step in ran.items()}
    at: str | None = max(ran, key=lambda label: moment(ran[label].completed))
    found: set[str] = set()
    while at is not None and at not in found:
        found.add(at)
        before = [labels[name] for name in ran[at].inputs if name in labels]
        at = max(before, key=lambda label: moment(ran[label].completed), default=None)
    return found
