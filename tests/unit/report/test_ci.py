"""What `invoke ci` says on a terminal, and in a log."""

from __future__ import annotations

import re

import pytest

from dockyard.report import ci as reports
from dockyard.report.console import Console
from dockyard.workflow import Outcome
from support import terminal

LONG = "tests (3.12): " + "nox -s a-session-with-a-very-long-name " * 5


def test_running_on_a_terminal(monkeypatch):
    """What runs is told on one line, with the time since when; that line is gone afterwards."""
    with terminal(monkeypatch, "stderr") as said, reports.running(Console(), LONG, live=True):
        pass

    told = said.decode()
    assert re.search(r"tests \(3\.12\): nox -s a-session.*… \(since \d\d:\d\d:\d\d\)", told)
    assert max(len(line) for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", told).splitlines()) <= 70
    assert "\x1b[2K" in told


@pytest.mark.parametrize("live", [True, False])
def test_running_in_a_log(capsys, live):
    """In a log, and where the step itself speaks, it is a line of its own."""
    with reports.running(Console(), "checks: nox", live=live):
        pass
    assert capsys.readouterr().err == "… checks: nox\n"


def test_running_with_output_on_a_terminal(monkeypatch):
    """Where the step itself speaks on a terminal, nothing is redrawn over its words."""
    with terminal(monkeypatch, "stderr") as said, reports.running(Console(), "checks: nox", live=False):
        pass
    assert b"since" not in said
    assert b"\x1b[2K" not in said


def test_outcome(capsys):
    """A step is one line: its verdict, its label, cut where it is too long, and its seconds or the reason."""
    reports.outcome(Console(), Outcome(leg="a", label=LONG, verdict="waived", detail="1.0 s, exit code 3"))
    (line,) = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"waived  tests \(3\.12\).*… +1\.0 s, exit code 3", line)


def test_ended(capsys, tmp_path):
    """What was not run never counts as pass; the summary is named where there is one."""
    told = [Outcome(leg="a", label="b", verdict=each, detail="") for each in ("pass", "pass", "not-run", "waived")]
    reports.ended(Console(), told, tmp_path / "summary.md")
    said = capsys.readouterr()
    assert said.out.startswith("2 pass, 1 waived, 1 not run; ")
    assert "summary.md" in said.err

    reports.ended(Console(), [], None)
    said = capsys.readouterr()
    assert said.out.startswith("no step; ")
    assert said.err == ""
