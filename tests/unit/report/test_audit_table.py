from __future__ import annotations

import re

import pytest

from dockyard.report.audit_table import SHOWN_PROOFS, audit
from dockyard.report.console import Console
from support import terminal
from unit.report.audits import RULES, VERDICTS, many, report

SCORE = "5 rules: 1 pass, 1 fail, 1 waived (expires 2027-01-01), 2 not run — score 1 of 2 examined"


@pytest.fixture
def printed(capsys):
    """What a pipe gets of a report."""

    def print_it(told):
        audit(Console(), told, RULES)
        return capsys.readouterr().out

    return print_it


def test_piped(printed):
    """A failed rule says what is wrong, where, and what to do; one that passes is one line; the score is last."""
    text = printed(report())
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "SEED 1 fail"
    assert lines[1] == "fail SEED-01 Numeric UID 1000, never root high"
    assert lines[3] == "docker/Dockerfile:41 User is `root`"
    assert lines[6] == "remedy Write `USER 1000:1000` as the last instruction."
    assert "pass SEC-01 No secret in any layer, deleted files included 41 layers searched" in lines
    assert "waiver Until 2027-01-01: the base needs it | for su" in lines
    assert lines[-1] == SCORE
    assert max(map(len, text.splitlines())) <= 160
    assert "\x1b" not in text


def test_not_run_says_why(printed):
    """What could not be examined is told by its reason, once for all rules that share it."""
    lines = [" ".join(line.split()) for line in printed(report()).splitlines()]
    assert lines[lines.index("not run why") + 1 :][:2] == [
        "IMG-07 The image has no /etc/passwd.",
        "RT-09 There is no engine: none answers.",
    ]


def test_worst_first(printed):
    """Within a family what failed comes before what holds; what was not run is told once, at the end."""
    told = report(*VERDICTS, many(2))
    lines = [line.split()[0] for line in printed(told).splitlines() if line and not line.startswith(" ")]
    assert lines.index("fail") < lines.index("pass")
    assert "not-run" not in lines
    assert lines[-1].isdigit()


def test_many_proofs(printed):
    """A rule that breaks everywhere shows the first places and says how many more there are."""
    text = printed(report(many(500)))
    assert f"and {500 - SHOWN_PROOFS} more" in text
    assert len(text.splitlines()) < 20


def test_terminal(monkeypatch):
    """On a narrow terminal no line is broken by the terminal itself, and states are coloured."""
    with terminal(monkeypatch, "stdout") as said:
        audit(Console(), report(), RULES)
    text = said.decode()
    assert "\x1b[1;31mfail" in text
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert "User is `root`" in plain
    assert max(len(line.rstrip()) for line in plain.splitlines()) <= 70


def test_no_color(monkeypatch):
    """NO_COLOR is obeyed."""
    monkeypatch.setenv("NO_COLOR", "1")
    with terminal(monkeypatch, "stdout") as said:
        audit(Console(), report(), RULES)
    assert b"\x1b[1;31m" not in said
