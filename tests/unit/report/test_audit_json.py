from __future__ import annotations

import json

import jsonschema
import pytest

from dockyard.audit.verdict import Place, State, broken
from dockyard.report.audit_json import document, schema
from unit.report.audits import NASTY, RULES, NumericUser, report, verdict


def check(told):
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(told, schema(), cls=jsonschema.Draft202012Validator)


def test_valid():
    """The document has the form that its schema publishes, whatever files are called."""
    told = document(report(), RULES)
    check(told)
    assert json.loads(json.dumps(told, ensure_ascii=False).encode()) == told


def test_says_all():
    """Every verdict is there with its proofs, their places, and the standards behind it."""
    told = document(report(), RULES)
    first = told["verdicts"][0]
    assert (told["version"], told["image"], told["score"]["not-run"]) == (1, "shop:prod", 2)
    assert (first["rule"], first["family"], first["state"], first["severity"]) == ("SEED-01", "SEED", "fail", "high")
    assert first["references"] == ["CIS 4.1", "PSS restricted"]
    assert first["proofs"][1]["place"] == {
        "subject": "Config.User",
        "file": "docker/Dockerfile",
        "line": 41,
        "layer": None,
    }
    assert first["proofs"][3]["place"] is None
    assert [each["state"] for each in told["verdicts"]] == ["fail", "waived", "pass", "not-run", "not-run"]


def test_odd_reports():
    """A report without an image, a Dockerfile or rules, and one of odd names, are valid too."""
    check(document(report(image="", digest="", dockerfile=""), ()))
    odd = verdict(NumericUser, State.FAIL, broken(NASTY, Place(subject=NASTY, file=NASTY, line=0, layer=0)))
    check(document(report(odd, image=NASTY), RULES))


@pytest.mark.parametrize(
    ("at", "value"),
    [("state", "maybe"), ("severity", "huge"), ("rule", "seed 1"), ("proofs", None), ("extra", 1)],
)
def test_schema_is_strict(at, value):
    """The schema refuses what the document never is."""
    told = document(report(), RULES)
    told["verdicts"][0][at] = value
    with pytest.raises(jsonschema.ValidationError):
        check(told)
