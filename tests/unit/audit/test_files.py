"""The project's files: found as the settings name them, and missing with the setting that would name them."""

from __future__ import annotations

import pytest

from dockyard.audit import files
from dockyard.audit.evidence import Missing
from dockyard.audit.read import Sources, TextFile
from dockyard.errors import SettingsError
from dockyard.settings import load
from support import sentences


@pytest.fixture
def found(project):
    """What one source finds, with settings given as dotted keys."""

    def find(name: str, **arguments: object) -> object:
        given = {f"audit.{key}": value for key, value in arguments.items()}
        settings = load(given, start=project, environment={}).settings
        source = next(each for each in files.sources(settings) if each.names == (name,))
        return source.take()[name]

    return find


@pytest.mark.parametrize("name", ["lock", "stack", "sbom", "manifests", "sources"])
def test_unset(found, name):
    """What no setting names is missing, and says which one would."""
    assert found(name) == Missing(f"`{name}` is not set in [tool.dockyard.audit].")


def test_listed(project):
    """Where no SBOM is named one is made; where one is, that is read."""
    (project / "sbom.json").write_text("its text", "utf-8")

    def found(**arguments: str) -> object:
        settings = load(arguments, start=project, environment={}).settings
        return next(e for e in files.sources(settings, listed=lambda: "made") if e.names == ("sbom",)).take()["sbom"]

    assert found() == "made"
    assert found(**{"audit.sbom": "sbom.json"}) == TextFile(path="sbom.json", text="its text")


@pytest.mark.parametrize("name", ["lock", "stack", "sbom"])
def test_one_file(found, project, name):
    """A file is read, by its path from the root."""
    (project / "one.txt").write_text("its text", "utf-8")

    assert found(name, **{name: "one.txt"}) == TextFile(path="one.txt", text="its text")


@pytest.mark.parametrize("name", ["lock", "stack", "sbom"])
def test_file_that_is_not_there(found, name):
    """A file that a setting names and that is not there is an error with its path."""
    with pytest.raises(SettingsError) as caught:
        found(name, **{name: "gone.txt"})

    what, why, _ = sentences(caught.value)
    assert "gone.txt cannot be read" in what
    assert f"`{name}`" in why


def test_binary_file(found, project):
    """A file that is no text is an error, not a crash."""
    (project / "one.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read"):
        found("lock", lock="one.txt")


def test_manifests(found, project):
    """Manifests are what the patterns match, each once, in order."""
    for name in ("b.yaml", "a.yaml", "c.txt"):
        (project / name).write_text(name, "utf-8")

    assert [each.path for each in found("manifests", manifests=["*.yaml", "a.*"])] == ["a.yaml", "b.yaml"]
    assert found("manifests", manifests=["*.json"]) == Missing("No file matches `manifests` of [tool.dockyard.audit].")


def test_workflows(found, project):
    """Workflows are found where GitHub looks for them."""
    assert found("workflows") == Missing("There is no workflow in .github/workflows.")
    folder = project / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "ci.yml").write_text("on: push", "utf-8")

    assert found("workflows") == (TextFile(path=".github/workflows/ci.yml", text="on: push"),)


def test_sources(found, project):
    """Python sources are read by their path below their folder."""
    (project / "src" / "service").mkdir(parents=True)
    (project / "src" / "service" / "app.py").write_text("app = 1", "utf-8")

    assert found("sources", sources="src") == Sources(folder="src", files={"service/app.py": "app = 1"})
    assert found("sources", sources="nowhere") == Missing("There is no Python file in nowhere.")
