"""What is kept for a project, by what made it."""

from __future__ import annotations

import pytest

from dockyard.build import Step
from dockyard.cache.forecast import Forecast, forecast
from dockyard.cache.inventory import Inventory, Policy, chosen
from dockyard.cache.kept import Kept, folders, layers, mounts
from dockyard.cache.known import Known, known
from dockyard.cache.mounts import CacheMount
from dockyard.engines.cache import CacheRecord
from dockyard.explain.nodes import Graph, Node
from dockyard.explain.records import Record

COPY = "[builder 2/3] COPY lock.txt ./"
RUN = "[builder 3/3] RUN pip install &&     true"
RAN = "mount / from exec /bin/sh -c pip install && true"
AT = "2026-11-23T10:00:0{}Z"


def step(name: str, seconds: int = 0, **changed) -> Step:
    """A step that took so long, or was cached."""
    return Step(name=name, started=AT.format(0), completed=AT.format(seconds), cached=not seconds, **changed)


def build(*steps: Step) -> Record:
    """A record of a build with a COPY and a RUN."""
    nodes = (
        Node(id="1", stage=0, label="builder 1/3", line=1, keyword="FROM", text="", printed="", parts={}),
        Node(id="2", stage=0, label="builder 2/3", line=2, keyword="COPY", text="", printed="", parts={}),
        Node(
            id="3",
            stage=0,
            label="builder 3/3",
            line=3,
            keyword="RUN",
            text="",
            printed="",
            parts={"command": [["/bin/sh", "-c"], "pip install &&     true"]},
        ),
    )
    by_label = {each.name.partition("]")[0][1:]: each for each in steps}
    return Record(name="r", image="i", graph=Graph(kind={}, nodes=nodes), steps=by_label)


def record(name: str, description: str, parent: str = "", **changed) -> CacheRecord:
    """A record of BuildKit's."""
    given = {"kind": "regular", "size": 10, "uses": 1, "age": 60, **changed}
    return CacheRecord(id=name, description=description, parents=(parent,) if parent else (), **given)


STEPS = {COPY: Known(name=COPY), RAN: Known(name=RUN, seconds=[4.0], taken=3)}


def test_known():
    """A step is known by what BuildKit says of its result; it has saved what it takes, each time it was cached."""
    steps = known([build(step(COPY), step(RUN)), build(step(COPY), step(RUN)), build(step(COPY, 1), step(RUN, 5))])
    assert set(steps) == {COPY, RAN}
    assert (steps[RAN].name, steps[RAN].saved) == (RUN, 10.0)


def test_never_run():
    """What no recorded build ran has saved nothing that is known; a step that failed has no time."""
    steps = known([build(step(COPY), step(RUN, 5, error="exit 1"))])
    assert [each.saved for each in steps.values()] == [0.0, 0.0]


def test_layers():
    """The results of a step are one line: all their bytes, the least age, each use."""
    found = layers(
        [
            record("base", ""),
            record("copy", COPY, "base"),
            record("old", RAN.replace("&&", "&&    "), "copy", size=100, age=9000, uses=4),
            record("new", RAN, "copy", size=50, age=0),
        ],
        STEPS,
    )
    assert found == (
        Kept(kind="layers", what=COPY, size=10, uses=1, age=60, ids=("copy",)),
        Kept(kind="layers", what=RUN, size=150, count=2, uses=5, age=0, saved=12.0, ids=("old", "new")),
    )
    assert found[1].pays == 12.0 / (150 / 10**9)


@pytest.mark.parametrize("below", ["[other 2/9] COPY secret ./", "mount / from exec /bin/sh -c theirs"])
def test_layers_of_others(below):
    """What stands on a step that is not ours is not ours, whatever its text."""
    records = [record("theirs", below), record("copy", COPY, "theirs"), record("run", RAN, "copy")]
    assert layers(records, STEPS) == ()


def test_what_is_no_step_of_ours():
    """Contexts, pulled bases and steps of others are left out."""
    records = [
        record("a", "local source for context"),
        record("b", "pulled from host/base"),
        record("c", "[x 2/3] RUN"),
    ]
    assert layers(records, STEPS) == ()


def test_mounts():
    """A mount is known by its id, in its own namespace alone."""
    wanted = [
        CacheMount(id="/c", owner={}, target="/c", lines=(1,)),
        CacheMount(id="n", owner={}, target="/d", lines=()),
    ]
    records = [
        record("1", 'cached mount /c from exec sh with id "//c"', target="/c", size=7),
        record("2", 'cached mount /x from exec sh with id "/n"', target="/x", size=8),
        record("3", 'cached mount /c from exec sh with id "team//c"', target="/c"),
        record("4", 'cached mount /e from exec sh with id "//e"', target="/e"),
    ]
    assert [(each.what, each.size) for each in mounts(records, wanted)] == [("/c", 7), ("n", 8)]
    assert [each.ids for each in mounts(records, wanted, "team")] == [("3",)]


def test_folders(tmp_path):
    """A folder has the bytes of its files; one that is empty or not there is not told."""
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_bytes(b"12345")
    (tmp_path / "empty").mkdir()
    (found,) = folders("exported", {"one": tmp_path / "a", "two": tmp_path / "empty", "three": tmp_path / "none"})
    assert (found.what, found.size, found.count) == ("one", 5, 1)
    assert found.age < 60


KEPT = (
    Kept(kind="layers", what=COPY, size=3 * 10**9, age=100, saved=6.0, ids=("a", "b")),
    Kept(kind="layers", what="[old 2/2] COPY", size=10**9, age=900, ids=("c",)),
    Kept(kind="mounts", what="/c", size=10**9, age=50),
    Kept(kind="exported", what=".dockyard/layers/py3.12", size=2 * 10**9, age=10),
    Kept(kind="records", what=".dockyard/builds", size=10**9, age=9999),
)
RECORDS = {"a": record("a", COPY, size=5, age=9), "b": record("b", COPY, size=7, age=1), "c": record("c", "", size=99)}


def test_forecast():
    """Of each step of the last build its latest result counts, or else what an export has; for every Python."""
    told = forecast(KEPT, RECORDS, last={COPY}, pythons=2, exported=0)
    assert (told.layers, told.mounts, told.branch, told.measured) == (7, 10**9, 2 * (10**9 + 7), False)
    assert told.branches == 4
    told = forecast(KEPT, RECORDS, last={COPY}, pythons=1, exported=10**10)
    assert (told.layers, told.branches, told.measured) == (10**10, 0, True)


@pytest.fixture
def inventory():
    """All that is kept."""
    told = Forecast(layers=1, mounts=1, pythons=1, measured=False)
    return Inventory(project="p", builder="default", kept=KEPT, total=10**11, builds=3, forecast=told)


@pytest.mark.parametrize(
    ("policy", "gone"),
    [
        (Policy(), ["/c", ".dockyard/layers/py3.12"]),
        (Policy(older=20), ["/c"]),
        (Policy(keep=7 * 10**9), ["/c"]),
        (Policy(keep=8 * 10**9), []),
        (Policy(layers=True), ["[old 2/2] COPY", "/c", ".dockyard/layers/py3.12", COPY]),
        (Policy(layers=True, older=100, keep=7 * 10**9), ["[old 2/2] COPY"]),
    ],
)
def test_chosen(inventory, policy, gone):
    """What saves least goes first, then what is older; records stay, and results of steps unless they are asked for."""
    assert [each.what for each in chosen(inventory, policy)] == gone
