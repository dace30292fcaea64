from __future__ import annotations

import pytest

from dockyard.audit.verdict import Place, State
from dockyard.report.words import clipped, counts, explained, harmless, score, where
from unit.report.audits import NASTY, VERDICTS, NumericUser, Sane, report


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("plain, Zürich ✅", "plain, Zürich ✅"),
        ("a\r\n\tb", "a b"),
        ("\x1b[2J\x07", r"\x1b[2J\x07"),
        ("\x9b31m\x85", r"\x9b31m\x85"),
        ("a\udcffb", r"a\xffb"),
        ("\ud800", r"\u{d800}"),
        ("\u202egnp.exe\u2028", r"\u{202e}gnp.exe\u{2028}"),
        ("\ufffe\uffff\U000f0000", r"\u{fffe}\u{ffff}\u{f0000}"),
    ],
)
def test_harmless(text, told):
    """Ordinary letters stay; what moves the cursor, hides, turns the text or is no UTF-8 is written as a number."""
    assert harmless(text) == told


def test_harmless_is_utf_8():
    """Whatever a file is called, its name can be written."""
    assert harmless(NASTY).encode("utf-8").isascii()


def test_explained():
    """A docstring is a claim, why, and a remedy with a first step."""
    told = explained(NumericUser)
    assert told.claim == "The image's user is numeric."
    assert told.why == "Kubernetes refuses a named one.\n\nIt also hides root."
    assert told.remedy == "Write `USER 1000:1000` as the last instruction. Then rebuild."
    assert told.first_step == "Write `USER 1000:1000` as the last instruction."


def test_explained_little():
    """A rule that says little has empty fields."""
    told = explained(Sane)
    assert (told.claim, told.why, told.remedy, told.first_step) == ("Accounts are sane.", "", "", "")


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (None, ""),
        (Place(subject="Config.User"), "Config.User"),
        (Place(subject="USER", file="Dockerfile", line=3), "Dockerfile:3"),
        (Place(subject="USER", file="Dockerfile"), "Dockerfile"),
        (Place(subject="/a\x1b"), r"/a\x1b"),
    ],
)
def test_where(place, told):
    """A place is a file and its line, or the subject itself."""
    assert where(place) == told


def test_clipped():
    """A long text ends with an ellipsis and is no longer than asked for."""
    assert clipped("abc", 3) == "abc"
    assert clipped("abcd", 3) == "ab…"


def test_score():
    """The score counts what was examined; waived and not run are said apart, with the first waiver to end."""
    assert score(report()) == (
        "5 rules: 1 pass, 1 fail, 1 waived (expires 2027-01-01), 2 not run — score 1 of 2 examined"
    )
    passed = [each for each in VERDICTS if each.state is State.PASS]
    assert score(report(*passed)) == "1 rule: 1 pass, 0 fail, 0 waived, 0 not run — score 1 of 1 examined"
    assert counts(report())["not-run"] == 2
