"""Rules: what they ask for, and how proofs become verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dockyard.audit.evidence import Missing
from dockyard.audit.rule import Rule, part, rules_of
from dockyard.audit.verdict import Kind, Severity, State, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.verdict import Proof


class Two(Rule):
    """Both halves hold."""

    id = "TST-01"
    title = "Two halves"
    severity = Severity.LOW

    @part
    def first(self, image: str) -> Iterator[Proof]:
        yield holds("the image is good") if image == "good" else broken(f"the image is {image}")

    @part
    def second(self, lock: str, today: str) -> Iterator[Proof]:
        yield {"good": holds("the lock is good"), "": unknown("no lock")}.get(lock) or broken(f"{lock} on {today}")

    def helper(self, settings: str) -> None:
        """No part: it asks for nothing."""


class Silent(Rule):
    """It looks and says nothing."""

    id = "TST-02"
    title = "Silence"
    severity = Severity.LOW

    @part
    def look(self, image: str) -> Iterator[Proof]:
        yield from ()


def state(**evidence: object) -> State:
    return Two().check({"today": "monday", **evidence}).state


def test_needs():
    """A rule needs what the parameters of its parts name, and nothing else."""
    assert Two.needs() == {"image", "lock", "today"}


@pytest.mark.parametrize(
    ("image", "lock", "expected"),
    [
        ("good", "good", State.PASS),
        ("bad", "good", State.FAIL),
        ("good", "bad", State.FAIL),
        ("good", "", State.NOT_RUN),
        ("bad", "", State.FAIL),
        (Missing("no image"), "good", State.NOT_RUN),
        (Missing("no image"), "bad", State.FAIL),
        ("good", Missing("no lock"), State.NOT_RUN),
    ],
)
def test_state(image, lock, expected):
    """What is broken decides; what could not be examined never passes; a pass needs every part."""
    assert state(image=image, lock=lock) is expected


def test_missing_evidence_says_why():
    """A part that was not called leaves the reason for which its evidence is missing."""
    verdict = Two().check({"image": Missing("no engine answers"), "lock": "good", "today": "monday"})

    assert [proof.text for proof in verdict.of(Kind.UNKNOWN)] == ["no engine answers"]
    assert verdict.evidence == "no engine answers"


def test_evidence_that_nobody_gathered():
    """Evidence that is not there at all is missing too, not an error."""
    assert state(image="good") is State.NOT_RUN


def test_silence_is_no_pass():
    """A rule that yields no proof was not run."""
    verdict = Silent().check({"image": "good"})

    assert verdict.state is State.NOT_RUN
    assert verdict.evidence == "There was nothing to examine."


def test_repeated_proofs():
    """What two parts say alike is said once."""
    verdict = Two().check({"image": Missing("no engine"), "lock": Missing("no engine"), "today": "monday"})

    assert len(verdict.proofs) == 1


def test_rules_of():
    """The rules of a module are those it defines, in order, not those it imports."""
    import sys  # noqa: PLC0415

    assert rules_of(sys.modules[__name__]) == (Two, Silent)
