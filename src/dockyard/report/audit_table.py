"""An audit's report for people: family by family, what failed first, and the score last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.audit.verdict import Kind, State
from dockyard.report.words import clipped, explained, harmless, score, where

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dockyard.audit.rule import Rule
    from dockyard.audit.verdict import Report, Verdict
    from dockyard.report.console import Console

INDENT = " " * 8
SHOWN_PROOFS = 8
MOST_LETTERS = 300
# With its indent, no more than half of 80 columns.
WHERE = 30
MOST_WIDTH = 60
ORDER = (State.FAIL, State.WAIVED, State.NOT_RUN, State.PASS)


def audit(console: Console, report: Report, rules: Sequence[type[Rule]]) -> None:
    """Print the report; what was not run is told once, by its reason."""
    remedies = {rule.id: explained(rule).first_step for rule in rules}
    width = min(max((len(_subject(each)) for each in report.verdicts), default=0), MOST_WIDTH)
    for family, verdicts in report.families.items():
        console.say(f"{family}  {_tally(verdicts)}")
        for verdict in sorted(verdicts, key=lambda each: ORDER.index(each.state)):
            if verdict.state is not State.NOT_RUN:
                _verdict(console, verdict, remedies.get(verdict.rule, ""), width)
        console.say("")
    not_run = report.of(State.NOT_RUN)
    if not_run:
        console.table(("not run", "why"), _by_reason(not_run))
        console.say("")
    # A table breaks a line between words.
    console.table((), [(score(report),)])


def _tally(verdicts: Iterable[Verdict]) -> str:
    states = [verdict.state for verdict in verdicts]
    told = ((states.count(state), "not run" if state is State.NOT_RUN else state.value) for state in ORDER)
    return ", ".join(f"{number} {name}" for number, name in told if number)


def _subject(verdict: Verdict) -> str:
    return harmless(f"{verdict.rule} {verdict.title}")


def _verdict(console: Console, verdict: Verdict, remedy: str, width: int) -> None:
    """Print what holds on one line; of what does not, also each proof, where it can be checked, and the way out."""
    failed = verdict.state in (State.FAIL, State.WAIVED)
    told = verdict.severity.value if failed else harmless(verdict.evidence)
    console.verdict(verdict.state.value, _subject(verdict), told, width=width)
    if not failed:
        return
    proofs = verdict.of(Kind.BROKEN)
    rows = [(_tail(where(each.place)), clipped(harmless(each.text), MOST_LETTERS)) for each in proofs]
    if len(rows) > SHOWN_PROOFS:
        rows[SHOWN_PROOFS:] = [("", f"and {len(rows) - SHOWN_PROOFS} more; `--format json` lists them all")]
    if verdict.reason:
        rows.append(("waiver", harmless(verdict.reason)))
    if remedy and verdict.state is State.FAIL:
        rows.append(("remedy", remedy))
    console.table((f"{INDENT}where", "seen"), [(f"{INDENT}{place}", text) for place, text in rows])


def _tail(place: str) -> str:
    """A long path's end says more than its begin."""
    return place if len(place) <= WHERE else f"…{place[1 - WHERE :]}"


def _by_reason(verdicts: Iterable[Verdict]) -> list[tuple[str, str]]:
    """Rules that miss the same thing are told together."""
    reasons: dict[str, list[str]] = {}
    for verdict in verdicts:
        reasons.setdefault(clipped(harmless(verdict.evidence), MOST_LETTERS), []).append(verdict.rule)
    return [(", ".join(ids), reason) for reason, ids in reasons.items()]
