"""Text that a report can hold: what an audit found, made harmless, and what its rules say of themselves."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.audit.verdict import State

if TYPE_CHECKING:
    from dockyard.audit.rule import Rule
    from dockyard.audit.verdict import Place, Report

REMEDY = "Remedy:"
LAST_BYTE = 0xFF
# How `os.fsdecode` keeps a byte of a file's name that is no UTF-8.
ESCAPED = 0xDC00
BYTES = range(ESCAPED + 0x80, ESCAPED + LAST_BYTE + 1)
UNTIL = re.compile(r"Until (\d{4}-\d{2}-\d{2})")
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])")


def harmless(text: str) -> str:
    r"""Return a text on one line in which nothing moves a cursor, hides, or cannot be written as UTF-8.

    File names and logs may hold anything. A letter that could do harm is written as its number, for instance `\x1b`.
    """
    return "".join(map(_seen, " ".join(re.split(r"[\t\n\r]+", text)))).strip()


def _seen(letter: str) -> str:
    """Controls, lone surrogates, odd blanks, and what turns the direction of writing are all not printable."""
    if letter.isprintable():
        return letter
    number = ord(letter) - ESCAPED if ord(letter) in BYTES else ord(letter)
    return f"\\x{number:02x}" if number <= LAST_BYTE else f"\\u{{{number:x}}}"


def clipped(text: str, most: int) -> str:
    """Return a text of at most so many letters; one that was cut ends with an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


@dataclass(frozen=True, kw_only=True)
class Explained:
    """What a rule's docstring says.

    Attributes:
        claim: What must hold.
        why: Why it matters.
        remedy: What to do where it does not hold.
    """

    claim: str
    why: str
    remedy: str

    @property
    def first_step(self) -> str:
        """The remedy's first sentence."""
        return SENTENCE.split(self.remedy)[0]


def explained(rule: type[Rule]) -> Explained:
    """Return what a rule says of itself."""
    blocks = [" ".join(block.split()) for block in (inspect.getdoc(rule) or "").split("\n\n")]
    remedies = [block.removeprefix(REMEDY).strip() for block in blocks if block.startswith(REMEDY)]
    others = [block for block in blocks if block and not block.startswith(REMEDY)]
    return Explained(claim=others[0] if others else rule.title, why="\n\n".join(others[1:]), remedy=" ".join(remedies))


def where(place: Place | None) -> str:
    """Return where a proof can be checked, for a person."""
    if place is None:
        return ""
    if not place.file:
        return harmless(place.subject)
    return harmless(f"{place.file}:{place.line}" if place.line else place.file)


def counts(report: Report) -> dict[str, int]:
    """Return how many rules there are, how many of each state, and how many were examined and not waived."""
    states = {state.value: len(report.of(state)) for state in State}
    examined = states[State.PASS] + states[State.FAIL]
    return {"rules": len(report.verdicts), **states, "examined": examined}


def score(report: Report) -> str:
    """Return the audit's result in one line; what was not run and what is waived is never counted as passed."""
    told = counts(report)
    ends = sorted(end for each in report.of(State.WAIVED) for end in UNTIL.findall(each.reason)[:1])
    expiry = f" (expires {ends[0]})" if ends else ""
    rules = "1 rule" if told["rules"] == 1 else f"{told['rules']} rules"
    return (
        f"{rules}: {told['pass']} pass, {told['fail']} fail, {told['waived']} waived{expiry}, "
        f"{told['not-run']} not run — score {told['pass']} of {told['examined']} examined"
    )
