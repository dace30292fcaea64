"""The layer cache of a build: its folder, and what is told of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dockyard.build import Step
from dockyard.build.layers import NO_LAYERS, Layers, kept_layers, told_of
from dockyard.machine.findings import Base
from dockyard.plan import build_plan, layer_cache
from dockyard.revision import Revision
from dockyard.settings import load

BASE = Base(reference="b", pinned="b", official=True, digest="sha256:b", how="pulled")


@pytest.fixture
def local(project):
    """A build that keeps its layers in a folder."""

    def local(**given):
        settings = load({"cache.preset": "local", **given}, start=project, environment={}).settings
        plan = build_plan(settings, base=BASE, revision=Revision(), secrets={})
        return replace(plan, layers=layer_cache(settings))

    return local


def write(target: str, index: str = "new") -> None:
    """Write what BuildKit writes last."""
    Path(target).mkdir()
    Path(target, "index.json").write_text(index)


def test_none(local):
    """A build without a layer cache has no options for it, and tells nothing of one."""
    with kept_layers(replace(local(), layers=None)) as options:
        assert options == {}
    assert told_of(None, []) is NO_LAYERS


def test_folder_is_replaced(local):
    """A new folder takes the place of the old one, with nothing of it left, once the build has ended."""
    plan = local()
    folder = plan.layers.folder
    with kept_layers(plan) as options:
        assert "cache_from" not in options
        write(options["cache_to"]["dest"], "first")
    (folder / "stale").touch()
    with kept_layers(plan) as options:
        assert options["cache_from"] == [{"type": "local", "src": str(folder)}]
        write(options["cache_to"]["dest"])
        assert (folder / "index.json").read_text() == "first"
    assert [each.name for each in folder.iterdir()] == ["index.json"]
    assert (folder / "index.json").read_text() == "new"
    assert list(folder.parent.iterdir()) == [folder]


def test_failed_build_keeps_the_folder(local):
    """A build that fails leaves the cache of the last one as it was, and no half of a new one."""
    plan = local()
    folder = plan.layers.folder
    folder.parent.mkdir(parents=True)
    write(str(folder), "first")

    def fail():
        with kept_layers(plan) as options:
            write(options["cache_to"]["dest"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (folder / "index.json").read_text() == "first"
    assert list(folder.parent.iterdir()) == [folder]


def test_only_read(local):
    """A build that may not export writes no folder."""
    plan = local(**{"cache.export": False})
    with kept_layers(plan) as options:
        assert options == {}
    assert not plan.layers.folder.parent.exists()


@pytest.mark.parametrize(
    ("steps", "layers"),
    [
        ([], Layers(preset="local")),
        ([("exporting cache to client directory", "")], Layers(preset="local", exported="done")),
        (
            [("exporting cache to registry", "error writing layer blob:\ndenied")],
            Layers(preset="local", exported="denied"),
        ),
        ([("importing cache manifest from local:42", "not found")], Layers(preset="local")),
    ],
)
def test_told(local, steps, layers):
    """What was imported and exported is what BuildKit did, not what it was asked for."""
    told = [Step(name=name, error=error) for name, error in steps]
    assert told_of(local().layers, told) == layers


def test_sources_are_named(local):
    """A folder is called by its path, for which BuildKit has a number; others as BuildKit calls them."""
    cache = local().layers
    step = Step(name="importing cache manifest from local:42")
    assert told_of(cache, [step]).imported == (str(cache.folder),)
    other = replace(cache, preset="registry", folder=None)
    step = Step(name="importing cache manifest from localhost:5000/c:main")
    assert told_of(other, [step]).imported == ("localhost:5000/c:main",)
