"""`invoke pin` as it is typed: which flags go together, what is printed, how it ends."""

from __future__ import annotations

import json

import pytest

from dockyard.pipeline import pin as pipeline
from unit.pin.made import MOVED, REFUSED, compiled, outcome
from unit.report.schemas import check


@pytest.fixture
def bases(monkeypatch):
    """Lay out how bases stand; return what was asked for."""

    def lay(*outcomes):
        asked = []
        monkeypatch.setattr(pipeline, "pin_bases", lambda project, options: asked.append(options) or outcomes)
        return asked

    return lay


@pytest.fixture
def locks(monkeypatch):
    """Lay out how locks are compiled; return what was asked for."""

    def lay(*compiled):
        asked = []
        monkeypatch.setattr(pipeline, "pin_dependencies", lambda _, **how: asked.append(how) or compiled)
        return asked

    return lay


@pytest.mark.parametrize(
    ("flags", "outcomes", "code"),
    [
        ("", [outcome(), MOVED], 0),
        ("--check", [outcome()], 0),
        ("--check", [outcome(), MOVED], 5),
        ("--check", [outcome(stale=True)], 5),
        ("--check", [outcome("not checked")], 3),
        ("--check", [REFUSED, MOVED], 5),
        ("", [outcome("not checked")], 0),
        ("--update", [REFUSED], 3),
    ],
)
@pytest.mark.parametrize("form", ["table", "json"])
def test_code(invoke, bases, flags, outcomes, code, form):
    """It ends as what was found says, after all of it was printed."""
    bases(*outcomes)
    done = invoke(f"pin {flags} --format {form}")
    assert done.code == code
    assert outcomes[0].reference in done.out


def test_flags(invoke, bases):
    """Flags are what is asked for."""
    asked = bases(outcome())
    invoke("pin --update --python 3.12 --python 3.13")
    invoke("pin --check")
    assert asked == [
        pipeline.PinOptions(pythons=("3.12", "3.13"), update=True),
        pipeline.PinOptions(check=True),
    ]


@pytest.mark.parametrize(
    "flags",
    [
        "--update --check",
        "--dependencies --update",
        "--dependencies --python 3.12",
        "--cooldown 3",
        "--dependencies --cooldown soon",
        "--dependencies --cooldown -1",
        "--python three",
        "--format svg",
    ],
)
def test_wrong_flags(invoke, bases, locks, flags):
    """What does not go together, or says nothing, is refused before anything is asked."""
    asked = [*bases(), *locks()]
    done = invoke(f"pin {flags}")
    assert (done.code, done.out, asked) == (2, "", [])


@pytest.mark.parametrize(("flags", "cooldown"), [("", 7), ("--cooldown 0", 0), ("--cooldown 30", 30)])
def test_cooldown(invoke, locks, flags, cooldown):
    """The cooldown is that of the settings, unless a flag says another, or none."""
    asked = locks(compiled("a 1", "a 2"))
    assert invoke(f"pin --dependencies {flags}").code == 0
    assert asked == [{"cooldown": cooldown, "check": False}]


@pytest.mark.parametrize(("old", "code"), [("a 1", 5), ("a 2", 0)])
def test_check_locks(invoke, locks, old, code):
    """A check of locks ends with 5 if one of them would change."""
    asked = locks(compiled(old, "a 2"))
    done = invoke("pin --dependencies --check --format json")
    assert (done.code, asked[0]["check"]) == (code, True)
    check(json.loads(done.out), "locks")
