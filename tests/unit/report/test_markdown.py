from __future__ import annotations

import re

from dockyard.report.markdown import MOST_ROWS, markdown
from unit.report.audits import NASTY, RULES, VERDICTS, many, report


def rows(text):
    """The cells of the table's lines."""
    return [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("|")]


def test_reads():
    """The score comes first, then what failed with its evidence and remedy, and the rest behind folds."""
    text = markdown(report(), RULES)
    lines = text.splitlines()
    assert lines[0] == r"## Audit of shop\:prod"
    assert lines[2].startswith("**5 rules\\: 1 pass, 1 fail")
    assert "❌ **SEED\\-01**" not in text
    assert r"| ❌ **SEED-01** Numeric UID 1000, never root | high | User is \`root\` | docker/Dockerfile\:41 |" in lines
    assert "**Remedy:** Write `USER 1000:1000` as the last instruction." in text
    assert [line for line in lines if line.startswith("<summary>")] == [
        "<summary>⚠️ 1 waived</summary>",
        "<summary>⏭️ 2 not run</summary>",
        "<summary>✅ 1 pass</summary>",
    ]
    assert text.count("<details>") == text.count("</details>") == 3


def test_cells_hold():
    """No evidence breaks out of its cell: every row of a table has as many cells as its head."""
    text = markdown(report(image=NASTY), RULES)
    assert {len(row) for row in rows(text)} == {2, 4}
    assert "\x1b" not in text
    assert r"\\x1b\[31m&lt;c&gt; &amp;" in text
    assert "<c>" not in text


def test_long():
    """A rule that breaks everywhere shows some of it, and says how much more there is."""
    text = markdown(report(many(500)), RULES)
    assert f"and {500 - MOST_ROWS} more" in text
    assert len(text) < 20_000


def test_all_pass():
    """Without a failure there is no table of failures."""
    passed = [each for each in VERDICTS if each.state == "pass"]
    text = markdown(report(*passed, digest=""), RULES)
    assert "Severity" not in text
    assert "Digest" not in text
