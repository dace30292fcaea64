"""An audit's report as JSON, in the form that audit-1.schema.json publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dockyard.audit.verdict import fingerprint
from dockyard.report import documents
from dockyard.report.words import counts, harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockyard.audit.rule import Rule
    from dockyard.audit.verdict import Place, Proof, Report, Verdict

# Rises with every change that a reader of the old form would stumble over.
VERSION = 1


def schema() -> Any:
    """Return the JSON Schema of the report."""
    return documents.schema("audit", VERSION)


def document(report: Report, rules: Sequence[type[Rule]]) -> dict[str, Any]:
    """Return the report, ready for `json.dumps`."""
    references = {rule.id: list(rule.references) for rule in rules}
    return {
        "version": VERSION,
        "image": harmless(report.image),
        "digest": harmless(report.digest),
        "dockerfile": harmless(report.dockerfile),
        "seconds": round(report.seconds, 3),
        "score": counts(report),
        "verdicts": [_verdict(each, references.get(each.rule, [])) for each in report.verdicts],
    }


def _verdict(verdict: Verdict, references: list[str]) -> dict[str, Any]:
    return {
        "rule": verdict.rule,
        "family": verdict.family,
        "title": verdict.title,
        "severity": verdict.severity.value,
        "state": verdict.state.value,
        "reason": harmless(verdict.reason),
        "evidence": harmless(verdict.evidence),
        "references": references,
        "proofs": [_proof(verdict.rule, each) for each in verdict.proofs],
    }


def _proof(rule: str, proof: Proof) -> dict[str, Any]:
    return {
        "kind": proof.kind.value,
        "text": harmless(proof.text),
        "fingerprint": fingerprint(rule, proof),
        "place": _place(proof.place) if proof.place else None,
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "subject": harmless(place.subject),
        "file": harmless(place.file),
        "line": place.line,
        "layer": place.layer,
    }
