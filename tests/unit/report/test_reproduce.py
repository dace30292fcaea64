from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dockyard.report.console import Console
from dockyard.report.reproduce import SHOWN, show
from dockyard.reproduce import Comparison, Difference, How, Place, Rebuilt, Seen

LAYER = Place(layer=3, line=12, instruction="RUN date > /x")
COPY = Place(layer=4, line=13, instruction="COPY --from=builder /made /made", source="builder")


def difference(place=LAYER, subject="/x", how=How.TIME, detail="a time is in it", **changed):
    """Return a difference, with changes."""
    seen = Seen(how=how, detail=detail, diff=changed.pop("diff", ()))
    return Difference(place=place, subject=subject, seen=seen, remedy=changed.pop("remedy", "Leave it out."))


def rebuilt(*differences, digests=("sha256:1", "sha256:2"), alike=False):
    """Return what came of two builds."""
    return Rebuilt(comparison=Comparison(digests=digests, alike=alike, differences=differences), seconds=(40.06, 41.2))


@pytest.fixture
def shown(capsys):
    """Return what is printed."""

    def shown(told, *, against="", as_json=False):
        show(Console(), told, against=against, as_json=as_json)
        return capsys.readouterr()

    return shown


def test_equal(shown):
    """Of equal builds the digest alone is the result; how long they took is a note."""
    said = shown(rebuilt(digests=("sha256:1", "sha256:1"), alike=True))

    assert said.out == "sha256:1\n"
    assert said.err == "Built without the cache of layers in 40.1 s and 41.2 s.\n"


def test_different(shown):
    """Each place stands once, above its files; a remedy once where files share it; the stage to look into last."""
    told = rebuilt(
        difference(diff=("-one", "+two")),
        difference(subject="/y"),
        difference(place=COPY, subject="/made/a", how=How.MODE, detail="mode 644 and 600", remedy="Set it."),
        difference(place=None, subject="Env.A", how=How.ENVIRONMENT, detail="1 and 2", remedy="Give it."),
        difference(place=LAYER, subject="", how=How.ORDER, detail="other", remedy="Sort."),
    )

    assert shown(told).out.splitlines() == [
        "sha256:1 and sha256:2",
        "",
        "layer 3, line 12: RUN date > /x",
        "  /x: embedded time: a time is in it",
        "    -one",
        "    +two",
        "  /y: embedded time: a time is in it",
        "    remedy: Leave it out.",
        "  the layer itself: order: other",
        "    remedy: Sort.",
        "",
        "layer 4, line 13: COPY --from=builder /made /made",
        "  /made/a: mode 644 and 600",
        "    remedy: Set it.",
        "",
        "configuration",
        "  Env.A: environment: 1 and 2",
        "    remedy: Give it.",
        "",
        "Files of the stage builder differ: `invoke reproduce --target builder` says which step makes them.",
    ]


def test_against(shown):
    """Both digests have their owner; images that are packed otherwise are said to be equal."""
    told = rebuilt(difference(place=replace(LAYER, line=0, instruction=""), how=How.COMPRESSION), alike=True)
    lines = shown(told, against="other:1").out.splitlines()

    assert lines[:3] == [
        "sha256:1 built here",
        "sha256:2 other:1",
        "Layers and configuration are equal; they are packed otherwise.",
    ]
    assert lines[4] == "layer 3"


def test_many(shown):
    """Of many files that differ in one way, the first few are shown, and whatever else differs is still seen."""
    many = [difference(subject=f"/{number}") for number in range(SHOWN + 7)]
    lines = shown(rebuilt(*many, difference(place=COPY, subject="/made/a"))).out.splitlines()

    assert sum(line.startswith("  /") for line in lines) == SHOWN + 1
    assert "  … and 7 more like these: `--format json` has them all." in lines


def test_json(shown):
    """Programs get all of it."""
    told = rebuilt(difference(diff=("-a", "+b")), difference(place=None, subject="Env.A", how=How.ENVIRONMENT))
    found = json.loads(shown(told, as_json=True).out)

    assert (found["equal"], found["against"], found["digests"]) == (False, None, ["sha256:1", "sha256:2"])
    assert found["seconds"] == [40.1, 41.2]
    assert found["differences"][0] == {
        "layer": 3,
        "line": 12,
        "instruction": "RUN date > /x",
        "stage": None,
        "subject": "/x",
        "how": "embedded time",
        "detail": "a time is in it",
        "diff": ["-a", "+b"],
        "remedy": "Leave it out.",
    }
    assert found["differences"][1]["layer"] is None
    packed = replace(told, comparison=replace(told.comparison, alike=True))
    assert json.loads(shown(packed, against="other:1", as_json=True).out)["equal"] is True


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("letter", ["\x1b", "\x9b", "\u202e", "\ud800"])
def test_hostile(shown, letter, as_json):
    """Whatever a file is called, the report can be written and moves no cursor."""
    place = replace(LAYER, instruction=f"RUN {letter}")
    said = shown(rebuilt(difference(place=place, subject=f"/{letter}", detail=letter)), as_json=as_json).out

    assert letter not in said
    assert "embedded time" in said
