"""`invoke audit` as it is typed: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json

import pytest

from dockyard.audit.rules import ALL
from images import file, saved

GOOD = saved([file("etc/os-release", b"ID=debian\nVERSION_ID=13\n")], config={"User": "1000:1000"})
BAD = saved([file("bin/su", b"x", mode=0o4755)], config={"User": "1000:1000"})


@pytest.fixture
def audit(invoke, project):
    """Type `invoke audit …` where good.tar and bad.tar are saved images."""
    (project / "good.tar").write_bytes(GOOD)
    (project / "bad.tar").write_bytes(BAD)
    return lambda line: invoke(f"audit {line}")


def test_list(audit):
    """--list has a line for every rule, and starts nothing."""
    done = audit("--list")

    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()[1:]] == [rule.id for rule in ALL]


def test_explain(audit):
    """--explain says what a rule asks for, how much it matters, who else asks, and the remedy."""
    done = audit("--explain img-01")

    assert done.code == 0
    assert "IMG-01" in done.out
    assert "severity: medium" in done.out
    assert "CIS 4.8" in done.out
    assert "Remedy: " in done.out


def test_pass(audit):
    """Rules that hold end with 0."""
    done = audit("--image good.tar --rule IMG-01")

    assert done.code == 0
    assert "1 rule: 1 pass, 0 fail" in " ".join(done.out.split())


def test_fail(audit):
    """A failed rule ends with 5 from its severity on, and the error names it and where to read more."""
    assert audit("--image bad.tar --rule IMG-01").code == 0
    done = audit("--image bad.tar --rule IMG-01 --fail-on medium")

    assert done.code == 5
    assert "/bin/su is setuid" in done.out
    assert "`invoke audit --explain IMG-01`" in done.err


def test_require_all(audit):
    """With --require-all a rule that could not be run ends with 5."""
    assert audit("--image good.tar --rule RT-08").code == 0
    assert audit("--image good.tar --rule RT-08 --require-all").code == 5


@pytest.mark.parametrize(
    ("form", "begin"), [("json", "{"), ("sarif", "{"), ("junit", "<?xml"), ("markdown", "#"), ("table", "IMG")]
)
def test_formats(audit, form, begin):
    """Each format is printed alone, so that a pipe gets nothing else."""
    done = audit(f"--image bad.tar --rule IMG-01 --format {form}")

    assert done.code == 0
    assert done.out.startswith(begin)
    if begin == "{":
        json.loads(done.out)


def test_write(audit, project):
    """--write makes a file of each kind, told by its name, also when the audit fails."""
    names = ("a.json", "a.sarif", "a.xml", "a.md")
    done = audit("--image bad.tar --rule IMG-01 --fail-on low " + " ".join(f"--write {name}" for name in names))

    assert done.code == 5
    assert all("IMG-01" in (project / name).read_text("utf-8") for name in names)


def test_job_summary(audit, project, monkeypatch):
    """In GitHub Actions the report is added to the job summary."""
    summary = project / "summary.md"
    summary.write_text("before\n", "utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    audit("--image bad.tar --rule IMG-01")

    assert summary.read_text("utf-8").startswith("before\n")
    assert "IMG-01" in summary.read_text("utf-8")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("--format yaml", "--format yaml is unknown."),
        ("--fail-on never", "--fail-on never is unknown."),
        ("--rule SEDE-1", "There is no rule SEDE-1."),
        ("--explain nothing", "There is no rule NOTHING."),
        ("--write a.txt", "--write a.txt is unclear."),
        ("--write nowhere/a.json", "--write nowhere/a.json is not possible."),
        ("--dockerfile nowhere", "There is no Dockerfile nowhere."),
    ],
)
def test_refused(audit, line, what):
    """What cannot be meant is refused in three lines with exit code 2, before anything is done."""
    done = audit(line)

    assert done.code == 2
    assert done.err.splitlines()[0] == f"error: {what}"
    assert len(done.err.splitlines()) == 3


def test_no_engine(audit):
    """Without an engine there is no image to audit, and the error says how to start one."""
    done = audit("")

    assert done.code == 3
    assert "invoke setup" in done.err
