"""Selection, waivers, and when an audit ends with exit code 5."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from dockyard.audit import judge
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Report, Severity, State, Verdict, broken, holds, unknown
from dockyard.errors import AuditError, SettingsError
from dockyard.settings.audits import Waiver
from support import sentences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.verdict import Proof

TODAY = date(2026, 11, 23)
WAIVER = Waiver(reason="The base is replaced next quarter.", expires=TODAY)


def rule(name: str, weight: Severity = Severity.HIGH) -> type[Rule]:
    class One(Rule):
        """It holds."""

        id = name
        title = f"the title of {name}"
        severity = weight

        @part
        def look(self, image: str) -> Iterator[Proof]:
            yield {"good": holds, "bad": broken}.get(image, unknown)(f"the image is {image}")

    return One


RULES = (rule("SEED-01"), rule("SEED-02", Severity.LOW), rule("IMG-01", Severity.MEDIUM))


def verdicts(image: str, **waivers: Waiver) -> tuple[Verdict, ...]:
    named = {name.replace("_", "-"): waiver for name, waiver in waivers.items()}
    return judge.judge(RULES, {"image": image}, waivers=named, today=TODAY)


def report(image: str, **waivers: Waiver) -> Report:
    return Report(image="one:prod", digest="", dockerfile="", seconds=1, verdicts=verdicts(image, **waivers))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [((), 3), (("SEED-02",), 1), (("seed",), 2), (("img-01", "SEED-01"), 2)],
)
def test_select(wanted, expected):
    """Rules are chosen by id or family, in any case; none named is all."""
    assert len(judge.select(RULES, wanted)) == expected


def test_unknown_rule():
    """A rule that does not exist is refused, with the one that is nearest."""
    with pytest.raises(SettingsError) as caught:
        judge.select(RULES, ["SED-01"])

    assert sentences(caught.value)[:2] == ("There is no rule SED-01.", "Is SEED-01 meant?")


def test_waiver():
    """A waiver makes a failure waived through its last day, with its reason and that day."""
    first = verdicts("bad", SEED_01=WAIVER)[0]

    assert first.state is State.WAIVED
    assert first.evidence == "Until 2026-11-23: The base is replaced next quarter. the image is bad"


def test_expired_waiver():
    """After its day a waiver changes nothing but what is said."""
    first = verdicts("bad", SEED_01=Waiver(reason="It was for the launch.", expires=date(2026, 11, 22)))[0]

    assert first.state is State.FAIL
    assert first.reason == "Its waiver expired on 2026-11-22."


@pytest.mark.parametrize(("image", "state"), [("good", State.PASS), ("hidden", State.NOT_RUN)])
def test_waiver_of_what_did_not_fail(image, state):
    """A waiver makes nothing else of a pass, nor of what could not be examined."""
    assert verdicts(image, SEED_01=WAIVER)[0].state is state


def test_waiver_of_an_unknown_rule():
    """A waiver of a rule that does not exist is refused."""
    judge.require_known(RULES, {"SEED-01": WAIVER})
    with pytest.raises(SettingsError, match="no rule SEED-99"):
        judge.require_known(RULES, {"SEED-99": WAIVER})


@pytest.mark.parametrize(
    ("least", "count"), [(Severity.LOW, 3), (Severity.MEDIUM, 2), (Severity.HIGH, 1), (Severity.CRITICAL, 0)]
)
def test_require(least, count):
    """Failures of the severity asked for, or more, are an error that names each of them."""
    if not count:
        judge.require(report("bad"), least=least, everything=False)
        return
    with pytest.raises(AuditError) as caught:
        judge.require(report("bad"), least=least, everything=False)

    what, why, todo = sentences(caught.value)
    assert what.startswith(f"{count} of 3 rules")
    assert why.count("the image is bad") == count
    assert todo.startswith("`invoke audit --explain SEED-01`")
    assert caught.value.exit_code == 5


def test_not_run_is_an_error_where_all_is_required():
    """What was not run ends an audit well, unless everything is required."""
    judge.require(report("hidden"), least=Severity.LOW, everything=False)
    with pytest.raises(AuditError, match="3 of 3 rules"):
        judge.require(report("hidden"), least=Severity.LOW, everything=True)


def test_waived_is_no_failure():
    """A waived rule does not end an audit badly."""
    judge.require(report("bad", SEED_01=WAIVER), least=Severity.HIGH, everything=True)
