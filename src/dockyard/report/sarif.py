"""An audit's report as SARIF 2.1.0, in the way GitHub's code scanning takes it."""

from __future__ import annotations

from collections import Counter
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dockyard.audit.verdict import Kind, Severity, State, broken, fingerprint
from dockyard.report.words import clipped, explained, harmless, score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dockyard.audit.rule import Rule
    from dockyard.audit.verdict import Place, Proof, Report, Verdict

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# GitHub cuts at 9.0, 7.0 and 4.0.
SECURITY = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0"}
LEVEL = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
# GitHub takes 25 000 results of a run, 1 000 letters of a message and 20 tags of a rule.
MOST_RESULTS = 200
MOST_LETTERS = 1000
MOST_TAGS = 20
NO_DOCKERFILE = "Dockerfile"


def sarif(report: Report, rules: Sequence[type[Rule]], *, line_of: Callable[[int], int]) -> dict[str, Any]:
    """Return the report as a SARIF log, ready for `json.dumps`.

    Args:
        report: What was found.
        rules: The rules that were asked, for their explanations.
        line_of: Turns the index of a layer into the line of the Dockerfile that made it.
    """
    index = {rule.id: number for number, rule in enumerate(rules)}
    dockerfile = report.dockerfile or NO_DOCKERFILE

    def anchor(place: Place | None) -> dict[str, Any]:
        """A project file's own line; else the line of the Dockerfile that made the layer; else its first one."""
        file, line = (place.file, place.line) if place and place.file else (dockerfile, 0)
        if place and not place.file and place.layer is not None:
            line = line_of(place.layer)
        uri = {"uri": quote(file.encode("utf-8", "surrogatepass")), "uriBaseId": "%SRCROOT%"}
        return {"physicalLocation": {"artifactLocation": uri, "region": {"startLine": max(line, 1)}}}

    run = {
        "tool": {"driver": _driver(rules)},
        "automationDetails": {"id": "dockyard/audit/"},
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The project's root."}}},
        "invocations": [_invocation(report, index)],
        "properties": {"image": harmless(report.image), "digest": harmless(report.digest), "score": score(report)},
        "results": [each for verdict in report.verdicts for each in _results(verdict, index, anchor)],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _driver(rules: Sequence[type[Rule]]) -> dict[str, Any]:
    return {
        "name": "dockyard",
        "semanticVersion": version("dockyard"),
        "rules": [_rule(rule) for rule in rules],
    }


def _rule(rule: type[Rule]) -> dict[str, Any]:
    told = explained(rule)
    references = ", ".join(rule.references)
    blocks = [told.claim, told.why, f"Remedy: {told.remedy}" if told.remedy else ""]
    blocks.append(f"References: {references}." if references else "")
    markdown = [block.replace("Remedy:", "**Remedy:**", 1) for block in blocks if block]
    return {
        "id": rule.id,
        "name": rule.__name__,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": clipped(told.claim, MOST_LETTERS)},
        "help": {"text": "\n\n".join(filter(None, blocks)), "markdown": "\n\n".join(markdown)},
        "defaultConfiguration": {"level": LEVEL[rule.severity]},
        "properties": {
            "security-severity": SECURITY[rule.severity],
            "problem.severity": {"note": "recommendation"}.get(LEVEL[rule.severity], LEVEL[rule.severity]),
            "precision": "very-high",
            "tags": ["security", rule.id.partition("-")[0], *rule.references][:MOST_TAGS],
        },
    }


def _invocation(report: Report, index: Mapping[str, int]) -> dict[str, Any]:
    """Say that the audit ran, and which rules could not be examined: they are no findings, and no passes either."""
    notes = [
        {
            "descriptor": {"id": each.rule},
            "associatedRule": _reference(each, index),
            "level": "note",
            "message": {"text": clipped(f"Not run: {harmless(each.evidence)}", MOST_LETTERS)},
        }
        for each in report.of(State.NOT_RUN)
    ]
    return {"executionSuccessful": True, "toolExecutionNotifications": notes}


def _reference(verdict: Verdict, index: Mapping[str, int]) -> dict[str, Any]:
    return {"id": verdict.rule} | ({"index": index[verdict.rule]} if verdict.rule in index else {})


def _results(
    verdict: Verdict, index: Mapping[str, int], anchor: Callable[[Place | None], dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield a result for each broken proof; those past GitHub's measure are counted in the last one."""
    if verdict.state not in (State.FAIL, State.WAIVED):
        return
    seen: Counter[str] = Counter()
    proofs = verdict.of(Kind.BROKEN) or (broken(verdict.evidence or verdict.title),)
    for proof in _within_measure(proofs):
        name = fingerprint(verdict.rule, proof)
        seen[name] += 1
        result: dict[str, Any] = {
            "ruleId": verdict.rule,
            "level": LEVEL[verdict.severity],
            "kind": "fail",
            "message": {"text": clipped(harmless(f"{verdict.title}: {proof.text}"), MOST_LETTERS)},
            "locations": [anchor(proof.place) | _logical(proof.place)],
            # The one key that GitHub reads; of equal findings the second is `…:2`.
            "partialFingerprints": {"primaryLocationLineHash": f"{name}:{seen[name]}"},
        }
        if verdict.rule in index:
            result["ruleIndex"] = index[verdict.rule]
        if verdict.state is State.WAIVED:
            why = harmless(verdict.reason)
            result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": why}]
        yield result


def _within_measure(proofs: Sequence[Proof]) -> list[Proof]:
    if len(proofs) <= MOST_RESULTS:
        return list(proofs)
    return [*proofs[: MOST_RESULTS - 1], broken(f"and {len(proofs) - MOST_RESULTS + 1} more places")]


def _logical(place: Place | None) -> dict[str, Any]:
    """What is meant where no file of the project says it: a file of the image, a request, a JSON path."""
    return {"logicalLocations": [{"fullyQualifiedName": harmless(place.subject)}]} if place else {}
