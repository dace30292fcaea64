"""An audit's report in each form: for people, for programs, for code scanning, for CI."""

from __future__ import annotations

import inspect
import json
import os
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.errors import SettingsError
from dockyard.report import audit_table
from dockyard.report.audit_json import document
from dockyard.report.junit import junit
from dockyard.report.markdown import markdown
from dockyard.report.sarif import sarif

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dockyard.audit.rule import Rule
    from dockyard.audit.verdict import Report
    from dockyard.report.console import Console

SUMMARY = "GITHUB_STEP_SUMMARY"
TEXT_WIDTH = 100


@dataclass(frozen=True, kw_only=True)
class Audited:
    """A report, and what its writers need beside it.

    Attributes:
        rules: Those that were asked.
        lines: Layer of the image to the line of the Dockerfile that made it.
    """

    report: Report
    rules: Sequence[type[Rule]]
    lines: Mapping[int, int]


def _json(audited: Audited) -> str:
    return json.dumps(document(audited.report, audited.rules), indent=2, ensure_ascii=False) + "\n"


def _sarif(audited: Audited) -> str:
    told = sarif(audited.report, audited.rules, line_of=lambda layer: audited.lines.get(layer, 1))
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


WRITERS: dict[str, Callable[[Audited], str]] = {
    "json": _json,
    "sarif": _sarif,
    "junit": lambda audited: junit(audited.report),
    "markdown": lambda audited: markdown(audited.report, audited.rules),
}
SUFFIXES = {".json": "json", ".sarif": "sarif", ".xml": "junit", ".md": "markdown"}


def target(path: Path) -> Path:
    """Return a path that a report can be written to; raise SettingsError before anything is done for nothing."""
    if path.suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise SettingsError(f"--write {path} is unclear.", f"A report's name ends with {known}.", "Name it so.")
    if not path.absolute().parent.is_dir():
        raise SettingsError(f"--write {path} is not possible.", f"There is no folder {path.parent}.", "Make it first.")
    return path


def write(audited: Audited, path: Path) -> None:
    """Write a report; its kind is told by its name."""
    path.write_text(WRITERS[SUFFIXES[path.suffix]](audited), "utf-8")


def show(console: Console, audited: Audited, form: str) -> None:
    """Print a report; in GitHub Actions the job summary gets it too."""
    if form == "table":
        audit_table.audit(console, audited.report, audited.rules)
    else:
        console.lines(WRITERS[form](audited).splitlines())
    summary = os.environ.get(SUMMARY)
    if summary:
        with Path(summary).open("a", encoding="utf-8") as page:
            page.write(WRITERS["markdown"](audited))


def explain(console: Console, rules: Sequence[type[Rule]], *, short: bool) -> None:
    """Print what rules ask for; in short, a line for each."""
    if short:
        console.table(("rule", "severity", "what must hold"), [(rule.id, rule.severity, rule.title) for rule in rules])
        return
    for rule in rules:
        console.say(f"{rule.id}  {rule.title}")
        console.say(f"severity: {rule.severity}")
        if rule.references:
            console.say(f"asked for by: {', '.join(rule.references)}")
        console.say(f"evidence: {', '.join(sorted(rule.needs()))}")
        for block in (inspect.getdoc(rule) or "").split("\n\n"):
            console.say("")
            console.say(textwrap.fill(" ".join(block.split()), TEXT_WIDTH))
        if rule is not rules[-1]:
            console.say("")
