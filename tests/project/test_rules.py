"""Every rule of the audit is documented, and has a fixture that fails for its reason and one that passes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dockyard.audit.rules import ALL, FAMILIES
from unit.audit.test_rules import FAILING, PASSING

from . import render_rules

ROOT = Path(__file__).parents[2]
LIVE = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests" / "containers").glob("test_audit*.py"))


def test_rules_page():
    """docs/rules.md has each rule in its own words."""
    written = render_rules.PAGE.read_text("utf-8")
    assert written == render_rules.page(), "run `python tests/project/render_rules.py`"


def test_families():
    """Every rule is of a family that is explained, and every family has rules."""
    assert {rule.id.partition("-")[0] for rule in ALL} == set(FAMILIES)


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_numbers(rule):
    """An id is a family and two digits, and a family's numbers have no hole."""
    family, number = re.fullmatch(r"([A-Z0-9]+)-(\d\d)", rule.id).groups()
    assert int(number) <= len([each for each in ALL if each.id.startswith(f"{family}-")])


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_fixtures(rule):
    """A rule without evidence on which it passes and evidence on which it fails does not count."""
    assert rule.id in {name for name, _ in PASSING}
    assert rule.id in {name for name, _, _ in FAILING}


RUNTIME = [rule for rule in ALL if rule.id.partition("-")[0] in {"RT", "LOG", "API"} or rule.id in {"HLT-01", "HLT-02"}]


@pytest.mark.parametrize("rule", RUNTIME, ids=lambda rule: rule.id)
def test_runtime_rules_fail_for_real(rule):
    """A rule on running containers is also held against a real container that breaks it."""
    assert rule.id in LIVE
