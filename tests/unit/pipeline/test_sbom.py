"""Which image is listed, and what it is compared with."""

from __future__ import annotations

import pytest

from dockyard import sbom
from dockyard.errors import EngineError, SettingsError
from dockyard.pipeline.sbom import SbomOptions, list_image
from images import file, saved, streamed
from support import IMAGE, FakeDaemon
from unit.sbom.made import distribution

LABELS = {"Labels": {"org.opencontainers.image.title": "shop", "org.opencontainers.image.version": "1"}}
OWN = saved([distribution("a", "2", "License: GPL-3.0-only"), file("app/m.onnx", b"")], config=LABELS)
OLDER = saved([distribution("a", "1")])


class Saving(FakeDaemon):
    """An engine that saves its images."""

    def save(self, reference):
        return streamed(OWN if reference == f"{IMAGE}:prod" else OLDER)


@pytest.fixture
def listed(opened, recorder):
    """List with options; other words are settings."""
    daemon = Saving(recorder, images=[f"{IMAGE}:prod", "older:1"])
    return lambda settings=None, **options: list_image(
        opened(daemon=daemon, quiet=True, **(settings or {})), SbomOptions(**options)
    )


def test_own_image(listed):
    """Without options the image that `run` starts is listed, with the models that the settings name."""
    done = listed({"audit__models": ("/app/*.onnx",)})

    assert [each.told for each in done.bill.components] == ["a 2", "m.onnx"]
    assert (done.comparison, done.violations) == (None, ())


def test_saved_image(listed, tmp_path):
    """A saved image that says what it is is listed as that of the engine, to the byte."""
    (tmp_path / "own.tar").write_bytes(OWN)
    assert sbom.written(listed(image=str(tmp_path / "own.tar")).bill) == sbom.written(listed().bill)


@pytest.mark.parametrize("form", ["engine", "archive", "document"])
def test_against(listed, tmp_path, form):
    """It is compared with an image of the engine, a saved one or a document, whatever its name is."""
    path = tmp_path / "older"
    if form == "archive":
        path.write_bytes(OLDER)
    elif form == "document":
        path.write_text(sbom.written(listed(image="older:1").bill), "utf-8")
    (change,) = listed(against="older:1" if form == "engine" else str(path)).comparison.changes

    assert (change.name, change.old, change.new) == ("a", ("1",), ("2",))


def test_policy(listed):
    """The policy of the settings is held against it."""
    (violation,) = listed({"sbom__deny": ("GPL-*",)}).violations
    assert violation.component.told == "a 2"


@pytest.mark.parametrize("option", ["image", "against"])
def test_no_image(listed, option):
    """An image that the engine does not have is refused."""
    with pytest.raises(EngineError, match="no image gone:1"):
        listed(**{option: "gone:1"})


def test_no_document(listed, tmp_path):
    """A file that begins as JSON and is no CycloneDX is refused by its name."""
    (tmp_path / "a.json").write_text("{}", "utf-8")
    with pytest.raises(SettingsError, match=r"a\.json cannot be compared with"):
        listed(against=str(tmp_path / "a.json"))
