"""Records and the files beside them."""

from __future__ import annotations

import json
import os

import pytest

from dockyard import explain
from dockyard.errors import SettingsError
from dockyard.explain import nodes, store
from dockyard.explain.entries import Taken
from support import sentences


@pytest.fixture
def keep(bench):
    """Keep a record of a build, as `invoke build` does."""

    def keep(name, **changed):
        kept = {"tags": ["tiny:1"], "steps": [], "ingredients": bench.gather().plain(), "builder": "default", **changed}
        bench.state.write_record(f"builds/{name}.json", kept)

    return keep


def test_graph_survives(bench):
    """What is kept as JSON reads back as it was, keys and all."""
    graph = bench.gather()
    again = nodes.read(json.loads(json.dumps(graph.plain())))

    assert again is not None
    assert again.keys == graph.keys
    assert again.kind == graph.kind


def test_base_as_the_builder_found_it(bench):
    """The digest that a step's name tells beats what the engine knows of that name."""
    bench.write("Dockerfile", "FROM python:3\nCOPY src /src\n")
    step = explain.records.Step(name="[1/2] FROM docker.io/library/python:3@sha256:abc")
    graph = nodes.read(bench.gather().plain(), explain.records.labelled([step]))

    assert graph is not None
    assert graph.nodes[0].parts["digest"] == "sha256:abc"
    assert graph.keys != bench.gather().keys


def test_records_without_ingredients(bench, keep):
    """Builds of before, or of which nobody knows what went in, are passed over."""
    keep("2026-1")
    keep("2026-2", ingredients={})
    keep("2026-3", ingredients={"version": 99})
    bench.state.write_record("builds/2026-4.json", {"tags": []})

    assert [each.name for each in explain.Records(bench.state)] == ["2026-1"]


def test_like(bench, keep):
    """A build is compared with the last one of its kind; one of its builder is taken before one of another."""
    keep("2026-1")
    keep("2026-2", builder="other")
    bench.again(target="one")
    keep("2026-3")
    bench.again(target="")
    keep("2026-4")
    records = explain.Records(bench.state)
    last = records.named("0")

    assert records.like(last.graph, before=last.name).name == "2026-1"
    other = records.named("2026-2")
    assert records.like(other.graph, before=other.name).name == "2026-1"
    only = records.named("2026-3")
    assert records.like(only.graph, before=only.name) is None


@pytest.mark.parametrize(("wanted", "name"), [("0", "2026-3"), ("1", "2026-2"), ("2026-1", "2026-1")])
def test_named(bench, keep, wanted, name):
    """A build is named by how many builds it is back, or by the beginning of its name."""
    for each in ("2026-1", "2026-2", "2026-3"):
        keep(each)

    assert explain.Records(bench.state).named(wanted).name == name


@pytest.mark.parametrize("wanted", ["3", "2025"])
def test_named_unknown(bench, keep, wanted):
    """A build that is not there is refused, and those that are there are told."""
    keep("2026-1")
    with pytest.raises(SettingsError) as caught:
        explain.Records(bench.state).named(wanted)

    what, why, _ = sentences(caught.value)
    assert wanted in what
    assert "2026-1" in why


def test_labels():
    """A step's label is what stands in brackets; the second step of COPY --link is BuildKit's own."""
    names = [
        "[builder  4/12] RUN make",
        "[linux/amd64->arm64 builder 1/2] COPY a /",
        "[stage-2 2/2] COPY --link a /",
        "[stage-2 2/2] LINK COPY --link a /",
        "[internal] load build context",
    ]
    found = explain.records.labelled(explain.records.Step(name=name) for name in names)

    assert list(found) == ["builder 4/12", "linux/amd64 builder 1/2", "stage-2 2/2"]
    assert not found["stage-2 2/2"].instruction.startswith("LINK")


def test_labels_of_triggers():
    """Triggers of a base are no part of a stage's total, which older releases of BuildKit do not count them in."""
    names = ["[a 2/5] ONBUILD RUN x", "[a 3/5] ONBUILD COPY b /", "[a 4/5] RUN y", "[b 2/2] RUN z"]
    found = explain.records.labelled(explain.records.Step(name=name) for name in names)

    assert list(found) == ["a 2/3", "a 3/3", "a 4/3", "b 2/2"]


def test_old_tables_are_removed(bench, monkeypatch):
    """The oldest tables go once they are too much; what is gone is told as none."""
    monkeypatch.setattr(store, "MOST_TABLE_BYTES", 1)
    kept = explain.Store(bench.state)
    for digest, time in (("old", 1), ("new", 2)):
        kept.keep(Taken(digest=digest, folders="", entries={"a": "folder"}), bench.root)
        os.utime(bench.state.folder / "explain/tables" / digest, (time, time))
    kept.prune()

    assert kept.table("old") is None
    assert kept.table("new") == {"a": "folder"}


def test_lost_tables_are_no_mistake(bench):
    """Where the table of files is lost, it is said that files changed, and that nobody knows which."""
    bench.build("one 1/2")
    for path in (bench.state.folder / "explain/tables").iterdir():
        path.unlink()
    bench.write("src/app.py", "other\n")

    assert [each.kind for each in bench.build("one 1/2").ran[0].causes] == [explain.Kind.FILES]


def test_private(bench):
    """What is kept of files, and the salt, is for their owner alone."""
    bench.build()
    explain.Store(bench.state).salted(b"secret")

    modes = {path.stat().st_mode & 0o077 for path in (bench.state.folder / "explain").rglob("*") if path.is_file()}
    assert modes == {0}


def test_salted(bench, tmp_path):
    """A secret is recognised in one project, and not by who knows its hash from another."""
    kept, other = explain.Store(bench.state), explain.Store(type(bench.state)(tmp_path / "other"))

    assert kept.salted(b"secret") == kept.salted(b"secret") != kept.salted(b"other")
    assert kept.salted(b"secret") != other.salted(b"secret")
