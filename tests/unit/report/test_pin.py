from __future__ import annotations

from dataclasses import replace
from datetime import date

import jsonschema
import pytest

from dockyard import pin
from dockyard.report import pin as reports
from dockyard.report.console import Console
from dockyard.report.pin_json import bases_document, locks_document
from unit.pin.made import MOVED, NEW, OLD, REFUSED, compiled, outcome
from unit.report.schemas import check

FILE = "requirements/bases.toml"
DOCUMENTS = {
    "pin": [
        bases_document([outcome(), outcome("pinned", stale=True), MOVED, REFUSED], FILE),
        bases_document([], FILE),
    ],
    "locks": [
        locks_document([compiled("a 1\nb 1", "a 2\nc 1"), compiled("a 1", "a 1", a=(1, 2))], cooldown=7, written=True),
        locks_document([], cooldown=0, written=False),
    ],
}


def shown(capsys, *outcomes: pin.Outcome) -> tuple[str, str]:
    """Return what is printed of these bases."""
    reports.show_bases(Console(), outcomes, FILE, as_json=False)
    return tuple(capsys.readouterr())


def locks(capsys, *locks: pin.Compiled, cooldown: int = 7, check: bool = False) -> tuple[str, str]:
    reports.show_locks(Console(), locks, cooldown=cooldown, check=check, as_json=False)
    return tuple(capsys.readouterr())


@pytest.mark.parametrize(("name", "told"), [(name, each) for name, every in DOCUMENTS.items() for each in every])
def test_schema(name, told):
    """What is printed as JSON is of the form that is published, and no other form is."""
    check(told, name)
    with pytest.raises(jsonschema.ValidationError):
        check({**told, "version": 2}, name)


def test_moved(capsys):
    """What moved is told: digest, system, Python, each package, and how many are as they were."""
    out, _ = shown(capsys, MOVED)
    assert "~  system           debian 12.11 → debian 12.12" in out
    assert "~  python           3.12.11 → 3.12.12" in out
    assert "-  deb     bash     5.2" in out
    assert "~  deb     libc6    2.36-9 → 2.36-10" in out
    assert "1 added, 1 removed, 1 changed since 2026-10-01; 1 as they were" in out
    assert "\x1b" not in out


def test_ends(capsys):
    """An end of support is told once for all bases, with its date, what comes after it, and the way out."""
    _, err = shown(capsys, MOVED, MOVED)
    assert (
        err.count("The regular security support of debian 12 ended on 2026-06-10, 166 days ago; LTS until 2028-") == 1
    )
    assert '`line = "slim-trixie"`' in err


def test_end_to_come(capsys):
    """One that is to come is told as such, and names no other line where there is none."""
    ends = pin.ends(replace(OLD, system="debian 13"), date(2028, 8, 1))[:1]
    _, err = shown(capsys, outcome(ends=ends))
    assert "of debian 13 ends on 2028-08-09, in 8 days; LTS until 2030-06-30." in err
    assert "slim-trixie" not in err


def test_stale(capsys):
    """A stale pin is a warning with its age."""
    _, err = shown(capsys, outcome(stale=True, age=40))
    assert f"The pin of {OLD.reference} is 40 days old" in err


def test_refused(capsys):
    """Why a base cannot be had is a line of its own, beside a short row."""
    out, err = shown(capsys, REFUSED)
    assert "nowhere" in out
    assert f"{OLD.reference}: no such host" in err


@pytest.mark.parametrize(
    ("state", "told"), [("pinned", True), ("updated", True), ("as pinned", False), ("moved", False)]
)
def test_review(capsys, state, told):
    """Where the file was changed it is said to be reviewed and committed."""
    _, err = shown(capsys, outcome(state, pin=NEW))
    assert (f"{FILE} has the pins: review" in err) is told


def test_locks(capsys):
    """Each lock is told with what came, went and changed; a version that is older now says so."""
    out, err = locks(capsys, compiled("a 1.10\nb 1\nc 1", "a 1.9\nc 1\nd 2"))
    assert out.splitlines()[0] == "lock.txt: 1 added, 1 removed, 1 changed; 1 as they were"
    assert "~  a  1.10 → 1.9, older" in out
    assert "+  d  2" in out
    assert "uploaded at least 7 days ago" in err


def test_newer_is_not_older(capsys):
    """A newer version is no older one, whatever order its digits have."""
    out, _ = locks(capsys, compiled("a 1.9", "a 1.10"))
    assert "older" not in out


def test_other_files(capsys):
    """Other files of the same version are told apart from other versions."""
    out, _ = locks(capsys, compiled("a 1", "a 1", **{"a 1": (1, 2)}))
    assert out.splitlines()[0] == "lock.txt: other files; 1 as they were"
    assert "≠  a 1  other files: 1 new, 2 gone" in out


def test_same(capsys):
    """A lock that is as it was is said to be, and a check to have written nothing."""
    out, err = locks(capsys, compiled("a 1", "a 1"), cooldown=0, check=True)
    assert out == "lock.txt: nothing changed; 1 as they were\n"
    assert err == "Nothing was written. Versions are those of any age.\n"
