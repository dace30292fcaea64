"""Every rule passes on what is good, and fails for exactly the reason for which it should."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import pytest

from dockyard.audit.evidence import NAMES, Missing
from dockyard.audit.rules import ALL
from dockyard.audit.verdict import Kind, State

from . import rules

TABLES = [
    import_module(f"{rules.__name__}.{each.name}")
    for each in iter_modules(rules.__path__)
    if each.name.startswith("cases_")
]
PASSING = [(rule, make) for table in TABLES for rule, make in table.PASSING.items()]
FAILING = [(rule, says, make) for table in TABLES for rule, cases in table.FAILING.items() for says, make in cases]
RULES = {rule.id: rule for rule in ALL}


def test_every_rule_has_its_fixtures():
    """A rule without a passing and a failing fixture does not count."""
    assert {rule for rule, _ in PASSING} == set(RULES)
    assert {rule for rule, _, _ in FAILING} == set(RULES)


@pytest.mark.parametrize(("rule", "make"), PASSING, ids=[rule for rule, _ in PASSING])
def test_passing(rule, make):
    """A rule passes on good evidence, and every proof says what was seen."""
    verdict = RULES[rule]().check(make())

    assert verdict.state is State.PASS, verdict
    assert all(proof.text for proof in verdict.proofs)


@pytest.mark.parametrize(("rule", "says", "make"), FAILING, ids=[f"{rule}: {says}" for rule, says, _ in FAILING])
def test_failing(rule, says, make):
    """A rule fails on evidence with one fault, and names that fault alone, with the place where it can be checked."""
    verdict = RULES[rule]().check(make())

    assert verdict.state is State.FAIL, verdict
    assert [proof.text for proof in verdict.of(Kind.BROKEN) if says not in proof.text] == []
    assert [proof.text for proof in verdict.of(Kind.BROKEN) if proof.place is None] == []


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_parts(rule):
    """Each part of a rule decides: with its own evidence missing, the rule does not pass."""
    make = next(make for name, make in PASSING if name == rule.id)
    for name in sorted(rule.needs()):
        verdict = rule().check({**make(), name: Missing("it was not gathered")})
        assert verdict.state is not State.PASS, f"{rule.id} passes without {name}"


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_needs(rule):
    """A rule asks for evidence that there is."""
    assert rule.needs() <= set(NAMES)


def test_all_evidence_is_used():
    """What is gathered is looked at by some rule."""
    assert set(NAMES) == set().union(*(rule.needs() for rule in ALL))


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_docstring(rule):
    """A rule says what must hold, why, and the remedy."""
    first, *_, last = (rule.__doc__ or "").strip().split("\n\n")

    assert first.endswith(".")
    assert last.strip().startswith("Remedy: ")
    assert rule.title
    assert not rule.title.endswith(".")


def test_ids():
    """No two rules have one id."""
    assert len(RULES) == len(ALL)
