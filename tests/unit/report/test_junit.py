from __future__ import annotations

from xml.etree import ElementTree as ET

from dockyard.audit.verdict import State
from dockyard.report.junit import junit
from unit.report.audits import NASTY, VERDICTS, report


def root(told=None):
    return ET.fromstring(junit(told or report()).encode())


def test_suites():
    """There is one suite for each family, and its counts are right."""
    told = {each.get("name"): each for each in root().iter("testsuite")}
    assert list(told) == ["SEED", "IMG", "SEC", "RT"]
    counts = [
        (each.get("tests"), each.get("failures"), each.get("errors"), each.get("skipped")) for each in told.values()
    ]
    assert counts == [("1", "1", "0", "0"), ("2", "0", "0", "2"), ("1", "0", "0", "0"), ("1", "0", "0", "1")]
    assert root().attrib == {
        "name": "dockyard audit",
        "time": "12.340",
        "tests": "5",
        "failures": "1",
        "errors": "0",
    }
    assert all(float(each.get("time")) == 0 for each in told.values())


def test_cases():
    """A failure has its message and every proof with its place; waived and not run are skipped, with the reason."""
    cases = {each.get("name").split()[0]: each for each in root().iter("testcase")}
    failure = cases["SEED-01"].find("failure")
    assert cases["SEED-01"].get("classname") == "dockyard.audit.SEED"
    assert failure.attrib == {"message": "User is `root`; it may log in; and somewhere", "type": "high"}
    assert failure.text.splitlines() == [
        "docker/Dockerfile:41: User is `root`",
        "/etc/passwd: it may log in",
        "and somewhere",
    ]
    assert cases["IMG-01"].find("skipped").get("message").startswith("waived: Until 2027-01-01: the base needs it")
    assert cases["RT-09"].find("skipped").get("message") == "not-run: There is no engine: none answers."
    assert [len(each) for each in cases.values()] == [1, 1, 1, 1, 1]
    assert cases["SEC-01"].find("system-out").text == "41 layers searched"


def test_nasty_names():
    """What XML forbids is written as numbers: a file's name cannot make the document unreadable."""
    text = junit(report(image=NASTY))
    assert not {letter for letter in text if not letter.isprintable()} - {"\n"}
    assert r"\x00" in text


def test_expired_waiver():
    """A failure whose waiver has expired says so."""
    expired = next(each for each in VERDICTS if each.state is State.WAIVED)
    told = type(expired)(**{**vars(expired), "state": State.FAIL, "reason": "Its waiver expired on 2026-01-01."})
    assert next(root(report(told)).iter("failure")).text.startswith("Its waiver expired on 2026-01-01.\n")
