"""What an audit waits for is said."""

from __future__ import annotations

import pytest

from dockyard.report import waiting
from dockyard.report.console import Console
from support import terminal


def test_piped(capsys, monkeypatch):
    """Piped, each source that took its time gets a line when it has ended; quick ones do not."""
    monkeypatch.setattr(waiting, "WORTH_A_LINE", 0)
    with waiting.shown(Console()) as watch:
        watch.begun("hanging a container")
        watch.ended("hanging a container")
    assert capsys.readouterr().err.split(maxsplit=2)[2] == "hanging a container\n"

    monkeypatch.setattr(waiting, "WORTH_A_LINE", 60)
    with waiting.shown(Console()) as watch:
        watch.begun("reading")
        watch.ended("reading")
    assert capsys.readouterr().err == ""


def test_quiet(capsys, monkeypatch):
    """A quiet console is told nothing."""
    monkeypatch.setattr(waiting, "WORTH_A_LINE", 0)
    with waiting.shown(Console(quiet=True)) as watch:
        watch.begun("hanging")
        watch.ended("hanging")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("label", ["hanging a container", "building twice"])
def test_terminal(monkeypatch, label):
    """On a terminal what is waited for is shown while it runs, and nothing of it stays."""
    with terminal(monkeypatch, "stdout", "stderr") as said, waiting.shown(Console()) as watch:
        watch.begun(label)
    text = said.decode()
    assert label in text
    assert "gathering evidence" in text
    assert text.rstrip().endswith("\x1b[?25h") or "\x1b[2K" in text
