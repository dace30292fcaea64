"""Writes docs/rules.md from the rules themselves: `python tests/project/render_rules.py`."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.audit.rules import ALL, FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.rule import Rule

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
BEGIN, END = "<!-- Written by tests/project/render_rules.py from here -->\n", "<!-- to here -->\n"


def families() -> Iterator[str]:
    """Yield a heading and a table for each family, then its rules."""
    for family, about in FAMILIES.items():
        members = [rule for rule in ALL if rule.id.startswith(f"{family}-")]
        yield f"## {family}: {about}"
        for rule in members:
            yield from _rule(rule)


def _rule(rule: type[Rule]) -> Iterator[str]:
    yield f"### {rule.id}: {rule.title}"
    asked = f" Asked for by {', '.join(rule.references)}." if rule.references else ""
    evidence = ", ".join(f"`{name}`" for name in sorted(rule.needs()))
    yield f"*{rule.severity}.*{asked} Evidence: {evidence}."
    yield inspect.getdoc(rule) or ""


def page() -> str:
    """Return the page as it should be: its own words, and the rules."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    return before + BEGIN + "\n" + "\n\n".join(families()) + "\n\n" + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
