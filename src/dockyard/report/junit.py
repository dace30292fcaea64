"""An audit's report as JUnit XML: one suite for each family, one case for each rule."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from dockyard.audit.verdict import Kind, State
from dockyard.report.words import clipped, harmless, where

if TYPE_CHECKING:
    from dockyard.audit.verdict import Report, Verdict

MOST_LETTERS = 500


def junit(report: Report) -> str:
    """Return the report as a document; a waived rule is skipped, with its reason."""
    seconds = f"{report.seconds:.3f}"
    # Jenkins' schema knows no `skipped` here.
    counts = {name: number for name, number in _counts(report.verdicts).items() if name != "skipped"}
    root = ET.Element("testsuites", {"name": "dockyard audit", "time": seconds, **counts})
    for family, verdicts in report.families.items():
        suite = ET.SubElement(root, "testsuite", {"name": family, "time": "0.000", **_counts(verdicts)})
        for verdict in verdicts:
            _case(suite, verdict)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _counts(verdicts: tuple[Verdict, ...]) -> dict[str, str]:
    states = [verdict.state for verdict in verdicts]
    skipped = states.count(State.NOT_RUN) + states.count(State.WAIVED)
    counted = {"tests": len(states), "failures": states.count(State.FAIL), "errors": 0, "skipped": skipped}
    return {name: str(number) for name, number in counted.items()}


def _case(suite: ET.Element, verdict: Verdict) -> None:
    name = harmless(f"{verdict.rule} {verdict.title}")
    case = ET.SubElement(suite, "testcase", classname=f"dockyard.audit.{verdict.family}", name=name, time="0.000")
    message = clipped(harmless(verdict.evidence), MOST_LETTERS)
    if verdict.state is State.FAIL:
        failure = ET.SubElement(case, "failure", message=message, type=verdict.severity.value)
        failure.text = _proofs(verdict)
    elif verdict.state is State.PASS:
        ET.SubElement(case, "system-out").text = message
    else:
        ET.SubElement(case, "skipped", message=f"{verdict.state.value}: {message}")


def _proofs(verdict: Verdict) -> str:
    """Every broken proof on its own line, with the place where it can be checked."""
    told = (f"{where(each.place)}: {harmless(each.text)}".removeprefix(": ") for each in verdict.of(Kind.BROKEN))
    return "\n".join([harmless(verdict.reason), *told]).strip()
