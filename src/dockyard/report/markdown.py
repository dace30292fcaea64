"""An audit's report as Markdown, for the summary of a job on GitHub."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard.audit.verdict import Kind, State
from dockyard.report.words import clipped, explained, harmless, score, where

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dockyard.audit.rule import Rule
    from dockyard.audit.verdict import Report, Verdict

# GitHub takes 1 MiB of a summary: 62 rules with ten rows each stay far below.
MOST_LETTERS = 400
MOST_ROWS = 10
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$@:-])")
MARK = {State.PASS: "✅", State.FAIL: "❌", State.WAIVED: "⚠️", State.NOT_RUN: "⏭️"}


def markdown(report: Report, rules: Sequence[type[Rule]]) -> str:
    """Return the report: its score, what failed and what to do, and the rest behind a fold."""
    remedies = {rule.id: explained(rule).first_step for rule in rules}
    subject = report.image or report.dockerfile
    lines = [f"## Audit of {cell(subject)}", "", f"**{cell(score(report))}** in {report.seconds:.0f} s", ""]
    if report.digest:
        lines += [f"Digest: {cell(report.digest)}", ""]
    failed = report.of(State.FAIL)
    if failed:
        rows = [row for each in failed for row in _failure(each, remedies.get(each.rule, ""))]
        lines += table(("Rule", "Severity", "Seen", "Where"), rows)
    for state, title in ((State.WAIVED, "waived"), (State.NOT_RUN, "not run"), (State.PASS, "pass")):
        verdicts = report.of(state)
        if verdicts:
            lines += ["<details>", f"<summary>{MARK[state]} {len(verdicts)} {title}</summary>", ""]
            lines += table(("Rule", "Evidence"), [(_name(each), cell(each.evidence)) for each in verdicts])
            lines += ["</details>", ""]
    return "\n".join(lines)


def _failure(verdict: Verdict, remedy: str) -> list[tuple[str, ...]]:
    """The rows of a failed rule: one for each proof, and what to do."""
    proofs = verdict.of(Kind.BROKEN)
    rows = [("", "", cell(each.text), cell(where(each.place))) for each in proofs[:MOST_ROWS]]
    if len(proofs) > MOST_ROWS:
        rows.append(("", "", f"and {len(proofs) - MOST_ROWS} more", ""))
    if verdict.reason:
        rows.append(("", "", cell(verdict.reason), ""))
    # Our own words, which are Markdown as they stand.
    rows.append(("", "", f"**Remedy:** {remedy.replace('|', '&#124;')}", ""))
    return [(f"{MARK[State.FAIL]} {_name(verdict)}", verdict.severity.value, *rows[0][2:]), *rows[1:]]


def _name(verdict: Verdict) -> str:
    return f"**{verdict.rule}** {cell(verdict.title)}"


def cell(text: str) -> str:
    """Write a text so that it stays within its cell and is shown letter for letter."""
    plain = clipped(harmless(text), MOST_LETTERS)
    escaped = SPECIAL.sub(r"\\\1", plain)
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table, of cells that are escaped already."""
    lines = [columns, tuple("---" for _ in columns), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines] + [""]
