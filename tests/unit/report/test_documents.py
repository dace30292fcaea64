"""JSON documents and the schemas that publish their form."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from dockyard.cache.archive import Carried, Packed
from dockyard.cache.forecast import Forecast
from dockyard.cache.inventory import Inventory
from dockyard.cache.kept import EXPORTED, LAYERS, MOUNTS, RECORDS, Kept
from dockyard.cache.mounts import LeftOut
from dockyard.explain import Cause, Explanation, Hint, Kind, Note, Outcome, StepStory
from dockyard.report import cache_json, explain_json, reproduce_json, size_json
from dockyard.report.documents import all_harmless, schema
from dockyard.reproduce import Comparison, Difference, How, Place, Rebuilt, Seen
from dockyard.size import Breach, Sized
from images import file
from unit.report.audits import NASTY
from unit.report.schemas import check, validator
from unit.report.sizes import measured, sized

NAMES = ("audit", "size", "explain", "reproduce", "pin", "locks", "cache", "mounts")
STEP = StepStory(label="1/1", instruction="COPY a /", text="COPY a /", line=2, outcome=Outcome.RAN, seconds=1.5)
BUILT = Explanation(record="2026", against="2025", image="tiny:1", dockerfile="Dockerfile", steps=(STEP,))
SEEN = Seen(how=How.TIME, detail="a time", diff=("-one", "+two"))
PLACE = Place(layer=1, line=2, instruction="RUN date", source="builder")
DIFFERENCE = Difference(place=PLACE, subject="/x", seen=SEEN, remedy="Leave it out.")


def rebuilt(*differences: Difference, seconds: tuple[float, ...] = (1.0, 2.0)) -> Rebuilt:
    found = Comparison(digests=("sha256:1", "sha256:2"), alike=not differences, differences=differences)
    return Rebuilt(comparison=found, seconds=seconds)


def size_of(told: Sized, depth: int = 3) -> object:
    return size_json.document(told, depth=depth)


def told_of(*steps: StepStory, **changed: object) -> object:
    return explain_json.document(replace(BUILT, steps=steps or BUILT.steps, **changed))


def kept(*each: Kept, **changed: object) -> object:
    forecast = Forecast(layers=5, mounts=6, pythons=2, measured=True)
    told = Inventory(project="tiny", builder="default", kept=each, total=9, builds=1, forecast=forecast)
    return cache_json.inventory_document(replace(told, **changed))


def carried(**changed: object) -> object:
    packed = Packed(id="/cache", size=3, length=4, sha256="ab")
    told = Carried(path=Path("/x/mounts.tar.zst"), key="mounts-1", mounts=(packed,), size=5)
    return cache_json.carried_document(replace(told, **changed))


LAYER = Kept(kind=LAYERS, what="[1/2] RUN make", size=2 * 10**9, count=2, uses=3, age=60, saved=4.5, ids=("a", "b"))
UNKNOWN = Breach(key="size.over_base", budget="1m", allowed=2**20, bytes=None, place="the base is not known")
DOCUMENTS = {
    "size": {
        "compared and over budget": size_of(sized()),
        "alone": size_of(Sized(measured=measured(), comparison=None, breaches=())),
        "base not known": size_of(Sized(measured=measured(base=0), comparison=None, breaches=(UNKNOWN,))),
        "nothing in it": size_of(Sized(measured=measured([]), comparison=None, breaches=())),
        "odd names": size_of(Sized(measured=measured([file("a\udcff", b"1"), file("b", b"1")]))),
        "flat": size_of(sized(), depth=0),
    },
    "explain": {
        "each cause": told_of(*(replace(STEP, causes=(Cause(kind=kind, origin="changed"),)) for kind in Kind)),
        "a whole cause": told_of(
            replace(STEP, causes=(Cause(kind=Kind.CONTENT, subject="a", plus=1, minus=0, size=9),), chain=("1/2",))
        ),
        "each word on a step": told_of(
            *(
                replace(STEP, outcome=Outcome.CACHED, note=note, about=("a",))
                for note in Note
                if note is not Note.MERGED
            )
        ),
        "each outcome": told_of(*(replace(STEP, outcome=outcome) for outcome in Outcome)),
        "foretold": told_of(record="", unused=(("a.log", "kept out"),)),
        "first build": told_of(against=""),
        "nothing in it": explain_json.document(replace(BUILT, steps=())),
        "a hint": told_of(hints=(Hint(step="COPY", line=1, costly="RUN", costly_line=2, seconds=40.0, alone="a"),)),
        "odd names": told_of(replace(STEP, text=NASTY, causes=(Cause(kind=Kind.ADDED, subject=NASTY + "\udcff"),))),
    },
    "reproduce": {
        "the same": reproduce_json.document(rebuilt(), against=""),
        "each way": reproduce_json.document(
            rebuilt(*(replace(DIFFERENCE, seen=replace(SEEN, how=how)) for how in How)), against=""
        ),
        "beside another": reproduce_json.document(rebuilt(DIFFERENCE, seconds=(1.0,)), against="other:1"),
        "configuration": reproduce_json.document(rebuilt(replace(DIFFERENCE, place=None, subject="Env.A")), against=""),
        "no line": reproduce_json.document(
            rebuilt(replace(DIFFERENCE, place=Place(layer=0, line=0, instruction=""))), against=""
        ),
        "odd names": reproduce_json.document(rebuilt(replace(DIFFERENCE, subject=NASTY)), against=""),
    },
    "cache": {
        "each kind": kept(LAYER, *(Kept(kind=kind, what=kind, size=1) for kind in (MOUNTS, EXPORTED, RECORDS))),
        "nothing kept": kept(forecast=Forecast(layers=0, mounts=0, pythons=0, measured=False)),
        "odd names": kept(replace(LAYER, what=NASTY)),
    },
    "mounts": {
        "exported": carried(),
        "with an owner": carried(mounts=(Packed(id="/cache", owner={"uid": "1000", "mode": "0755"}),)),
        "imported": carried(unknown=("/other",), current=False),
        "refused": carried(refused=(LeftOut(id="/x", why="it begins with a stage", todo="Run it."),)),
        "nothing in them": carried(mounts=(), size=0),
        "odd names": carried(key=NASTY),
    },
}
SHAPES = [(name, shape) for name, shapes in DOCUMENTS.items() for shape in shapes]


@pytest.mark.parametrize(("name", "shape"), SHAPES)
def test_valid(name, shape):
    """Whatever is told has the form that its schema publishes, and can be written as UTF-8."""
    told = DOCUMENTS[name][shape]
    text = json.dumps(told, ensure_ascii=False).encode()

    check(json.loads(text), name)
    assert json.loads(text)["version"] == 1


def objects(told, at=()):
    """Yield each object of a document, and the way to it."""
    if isinstance(told, dict):
        yield at
        for key, each in told.items():
            yield from objects(each, (*at, key))
    elif isinstance(told, list):
        for index, each in enumerate(told):
            yield from objects(each, (*at, index))


def wrong(told):
    """Yield a document in which one object has a field too many, one too few, or one of another type."""
    for way in objects(told):
        for spoil in ("extra", "less", "type"):
            other = copy.deepcopy(told)
            at = other
            for step in way:
                at = at[step]
            first = next(iter(at))
            if spoil == "extra":
                at["more"] = 1
            elif spoil == "less":
                del at[first]
            else:
                at[first] = {}
            yield other


@pytest.mark.parametrize("name", DOCUMENTS)
def test_strict(name):
    """A document with a field too many, too few, or of another type is refused, wherever that is."""
    for told in DOCUMENTS[name].values():
        for other in wrong(json.loads(json.dumps(told))):
            assert not validator(name).is_valid(other)


@pytest.mark.parametrize(
    ("name", "way", "value"),
    [
        ("size", ("version",), 2),
        ("size", ("total",), -1),
        ("size", ("total",), 1.5),
        ("size", ("wasted", "hidden", 0, "how"), "lost"),
        ("size", ("comparison", "changes", 0, "kind"), "file"),
        ("explain", ("steps", 0, "outcome"), "maybe"),
        ("explain", ("steps", 0, "causes", 0, "kind"), "chance"),
        ("explain", ("steps", 0, "note"), "nice"),
        ("explain", ("steps", 0, "line"), 0),
        ("explain", ("seconds",), -1),
        ("reproduce", ("digests",), ["sha256:1"]),
        ("reproduce", ("differences", 0, "how"), "somehow"),
        ("reproduce", ("differences", 0, "remedy"), ""),
        ("reproduce", ("seconds",), []),
        ("cache", ("kept", 0, "kind"), "images"),
        ("cache", ("kept", 0, "age"), -1),
        ("cache", ("forecast", "branches"), 0.5),
        ("mounts", ("mounts", 0, "owner", "uid"), 1000),
        ("mounts", ("size",), -1),
    ],
)
def test_wrong_value(name, way, value):
    """A value that a document never has is refused."""
    shapes = {
        "size": "compared and over budget",
        "explain": "each cause",
        "reproduce": "each way",
        "cache": "each kind",
        "mounts": "exported",
    }
    told = json.loads(json.dumps(DOCUMENTS[name][shapes[name]]))
    check(told, name)
    *path, last = way
    at = told
    for step in path:
        at = at[step]
    at[last] = value

    with pytest.raises(jsonschema.ValidationError):
        check(told, name)


@pytest.mark.parametrize("name", NAMES)
def test_schema(name):
    """Each schema is one, names itself, and says of every object what it has: all of it is required, nothing else."""
    found = schema(name, 1)

    jsonschema.Draft202012Validator.check_schema(found)
    assert (found["$id"], found["properties"]["version"]) == (f"urn:dockyard:{name}:1", {"const": 1})
    told = [found, *found["$defs"].values(), *(each for each in found["properties"].values() if "properties" in each)]
    for each in told:
        assert each["additionalProperties"] is False
        assert sorted(each["required"]) == sorted(each["properties"])
    # None of them is left over.
    assert all(f'"#/$defs/{each}"' in json.dumps(found) for each in found["$defs"])


def test_harmless():
    """Texts at any depth lose what moves a cursor; all else stays as it is."""
    assert all_harmless({"a": ["\x1b", ("b", 1, None, 1.5, True)]})["a"][1] == ["b", 1, None, 1.5, True]
    assert "\x1b" not in str(all_harmless({"a": ["\x1b[2J"]})["a"])
