from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from dockyard.audit.verdict import Place, Severity, State, broken, fingerprint
from dockyard.report import sarif as module
from dockyard.report.sarif import MOST_RESULTS, SECURITY, sarif
from support import recorded
from unit.report.audits import NASTY, RULES, VERDICTS, NumericUser, many, report, verdict

LINES = {0: 7, 2: 9}


def log(told=None, rules=RULES):
    """The report as a log that is valid and can be written."""
    found = sarif(told or report(), rules, line_of=lambda layer: LINES.get(layer, 0))
    schema = json.loads(recorded("audit/sarif-schema-2.1.0.json"))
    jsonschema.Draft4Validator(schema).validate(found)
    json.dumps(found, ensure_ascii=False).encode()
    return found["runs"][0]


def places(run):
    return [
        (
            each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            each["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for each in run["results"]
    ]


def test_findings_alone_are_results():
    """Broken proofs of failed and waived rules are results, each with one location; all else is none."""
    run = log()
    assert [each["ruleId"] for each in run["results"]] == ["SEED-01"] * 3 + ["IMG-01"]
    assert {len(each["locations"]) for each in run["results"]} == {1}
    assert run["results"][0]["message"]["text"] == "Numeric UID 1000, never root: User is `root`"
    assert [RULES[each["ruleIndex"]].id for each in run["results"]] == [each["ruleId"] for each in run["results"]]


def test_anchors():
    """A finding is at its own line, else at the instruction that made its layer, else at the Dockerfile's begin."""
    assert places(log()) == [
        ("docker/Dockerfile", 41),
        ("docker/Dockerfile", 9),
        ("docker/Dockerfile", 1),
        ("docker/Dockerfile", 7),
    ]


def test_anchors_without_lines():
    """A layer that no line made, a file without a line, and an audit without a Dockerfile have line 1."""
    proofs = (
        broken("a", Place(subject="/a", layer=5)),
        broken("b", Place(subject="b", file="k8s/a b.yaml")),
        broken("c", Place(subject="c", file=f"x\udcff{chr(27)}", line=4)),
    )
    found = report(verdict(NumericUser, State.FAIL, *proofs), dockerfile="")
    assert places(log(found)) == [("Dockerfile", 1), ("k8s/a%20b.yaml", 1), ("x%ED%B3%BF%1B", 4)]


def test_fingerprints():
    """A finding keeps its name while its line moves; equal ones are told apart."""
    user = Place(subject="Config.User", file="Dockerfile", line=3)
    twice = verdict(NumericUser, State.FAIL, broken("a", user), broken("b", replace(user, line=99)))
    told = [each["partialFingerprints"]["primaryLocationLineHash"] for each in log(report(twice))["results"]]
    name = fingerprint("SEED-01", broken("c", user))
    assert told == [f"{name}:1", f"{name}:2"]


def test_waived_is_suppressed():
    """A waived finding is there, suppressed, with its reason; a failed one is not suppressed."""
    results = log()["results"]
    assert results[3]["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "Until 2027-01-01: the base needs it | for su",
        }
    ]
    assert "suppressions" not in results[0]


def test_not_run_is_a_notification():
    """What could not be examined is told of the run, and is no finding."""
    notes = log()["invocations"][0]["toolExecutionNotifications"]
    assert [(each["descriptor"]["id"], each["message"]["text"]) for each in notes] == [
        ("IMG-07", "Not run: The image has no /etc/passwd."),
        ("RT-09", "Not run: There is no engine: none answers."),
    ]
    assert [each["associatedRule"]["index"] for each in notes] == [3, 4]


def test_rules():
    """Each rule brings its weight on GitHub's scale, its help and its standards."""
    rules = {each["id"]: each for each in log()["tool"]["driver"]["rules"]}
    first = rules["SEED-01"]
    assert {each["properties"]["security-severity"] for each in rules.values()} == {"9.5", "8.0", "5.5", "2.0"}
    assert [rules[name]["defaultConfiguration"]["level"] for name in ("SEC-01", "SEED-01", "IMG-01", "IMG-07")] == [
        "error",
        "error",
        "warning",
        "note",
    ]
    assert "**Remedy:** Write `USER 1000:1000`" in first["help"]["markdown"]
    assert "Kubernetes refuses a named one." in first["help"]["text"]
    assert first["properties"]["tags"] == ["security", "SEED", "CIS 4.1", "PSS restricted"]
    assert set(SECURITY) == set(Severity)


def test_nasty_names():
    """A file's name cannot bring control characters into a message."""
    text = log()["results"][3]["message"]["text"]
    assert text.isprintable()
    assert r"/a\xff|`b` \x1b[31m<c> & \x00\u{202e}\u{fffe} is setuid" in text
    assert json.dumps(log(report(image=NASTY)))


def test_measure(monkeypatch):
    """A rule that breaks everywhere stays within GitHub's measure, and says how much was left out."""
    results = log(report(many(MOST_RESULTS + 5)))["results"]
    assert len(results) == MOST_RESULTS
    assert results[-1]["message"]["text"] == "No setuid or setgid file: and 6 more places"
    assert module.MOST_RESULTS * 62 < 25_000
    assert len(log(report(many(MOST_RESULTS)))["results"]) == MOST_RESULTS


@pytest.mark.parametrize("rules", [(), RULES[1:]])
def test_unknown_rules(rules):
    """A verdict of a rule that is not given has no index, and the log is valid."""
    assert "ruleIndex" not in log(report(VERDICTS[0]), rules)["results"][0]


def test_no_proofs():
    """A failed rule without a broken proof is one finding all the same."""
    found = log(report(verdict(NumericUser, State.FAIL, reason="Odd.")))
    assert [each["message"]["text"] for each in found["results"]] == ["Numeric UID 1000, never root: Odd."]
