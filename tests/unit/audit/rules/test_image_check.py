"""What BuildKit's checks say becomes proofs with lines."""

from __future__ import annotations

from dockyard.audit.rules.image_check import BuildCheck
from dockyard.audit.verdict import Kind, State

from .cases_image_check import WARNED, evidence


def test_line():
    """A warning is placed at its line; two of them are two."""
    verdict = BuildCheck().check(evidence(WARNED + WARNED.replace("JSONArgs", "Other").replace(":2\n", ":1\n"), 1))

    assert [proof.place.line for proof in verdict.of(Kind.BROKEN)] == [2, 1]


def test_failed_check():
    """A check that itself fails proves nothing."""
    assert BuildCheck().check(evidence("ERROR: no builder\n", 1)).state is State.NOT_RUN
    assert BuildCheck().check(evidence("", 1)).state is State.NOT_RUN
