from __future__ import annotations

import pytest

from dockyard.engines.buildx import Buildx
from dockyard.engines.daemon import Daemon
from dockyard.machine import Pinning, Wanted
from dockyard.pipeline import open_project, wanted
from dockyard.settings import Source
from support import SECRET


def test_open(project, monkeypatch):
    """The project of the working folder is opened with what flags gave, and nothing is asked of its engine."""
    monkeypatch.chdir(project)
    opened = open_project({"tag": "mine", "python": ""})

    assert opened.settings.root == project
    assert opened.settings.reference == "tiny-service:mine"
    assert opened.loaded.source("tag") is Source.ARGUMENT
    assert isinstance(opened.engine.buildx, Buildx)
    assert isinstance(opened.engine.daemon, Daemon)
    assert opened.label == "dev.dockyard.project=tiny-service"


@pytest.mark.parametrize("quiet", [True, False])
def test_quiet(project, monkeypatch, quiet):
    """A project is as quiet as it was asked to be."""
    monkeypatch.chdir(project)

    assert open_project(quiet=quiet).console.quiet is quiet
    assert not open_project().console.quiet


def test_damaged_record(opened, capsys):
    """Of a damaged record a person is warned."""
    state = opened().state
    state.write("builds/1.json", b"{")
    state.read_record("builds/1.json")

    assert "set aside as 1.json.damaged" in capsys.readouterr().err


def test_wanted(opened, project):
    """What the machine must have is what the settings say, paths from the project's root."""
    index = f"https://user:{SECRET}@index.example.org/simple"
    settings = opened(
        build__base="base:{python}",
        network__mirror="registry.example.org/hub",
        network__archives="saved",
        network__ca_bundle="ca.pem",
        network__index_url=index,
        network__proxy=f"http://user:{SECRET}@proxy.example.org",
        network__no_proxy=".example.org",
    ).settings

    assert wanted(settings, ("3.11", "3.13")) == Wanted(
        pythons=("3.11", "3.13"),
        base="base:{python}",
        state=project / ".dockyard",
        mirror="registry.example.org/hub",
        archives=project / "saved",
        ca_bundle=project / "ca.pem",
        index_url=index,
        pinning=Pinning(file=project / "requirements/bases.toml", max_age=30),
        proxy=f"http://user:{SECRET}@proxy.example.org",
        no_proxy=".example.org",
    )


def test_wanted_by_default(opened, project):
    """A project that says nothing of its network wants nothing of it."""
    assert opened().wanted == Wanted(
        pythons=("3.12",),
        base="python:{python}-slim-bookworm",
        state=project / ".dockyard",
        pinning=Pinning(file=project / "requirements/bases.toml", max_age=30),
    )


def test_line(opened):
    """One setting chooses the Debian line; a base that names no line is as it was written."""
    assert opened(build__line="slim-trixie").wanted.base == "python:{python}-slim-trixie"
    assert opened(build__line="slim-trixie", build__base="base:{python}").wanted.base == "base:{python}"
