from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from dockyard.errors import EngineError, SettingsError
from dockyard.pipeline import build_image
from dockyard.pipeline.planned import planned
from support import BASE, FakeDaemon, sentences

ASSEMBLED = f"dockyard.local/{BASE}"


@pytest.mark.parametrize("driver", ["docker", "remote"])
def test_out_of_reach(opened, recorder, driver):
    """An assembled base that the build could not have is refused before it begins."""
    recorder.lay_builder(driver)

    with pytest.raises(SettingsError) as caught:
        build_image(opened(images=[ASSEMBLED], build__platforms=["linux/arm64"]))

    assert sentences(caught.value)[0] == "The image cannot be built for linux/arm64."
    assert recorder.builds == []


@pytest.mark.parametrize("driver", ["docker-container", "kubernetes", "remote"])
def test_lent_base(opened, recorder, saved, driver):
    """A builder that cannot see an assembled base gets it as a layout, which is there for as long as it builds."""
    recorder.lay_builder(driver)
    with planned(opened(images=[ASSEMBLED])) as asked:
        where = asked.lent[ASSEMBLED]
        layout = Path(where.removeprefix("oci-layout://").removesuffix("@sha256:own"))
        assert (layout / "index.json").is_file()
    assert not layout.exists()

    build_image(opened(images=[ASSEMBLED]))
    (call,) = recorder.builds
    assert call[call.index("--build-context") + 1].startswith(f"{ASSEMBLED}=oci-layout:///")
    assert call[call.index("--build-context") + 1].endswith("@sha256:own")


@pytest.mark.parametrize(
    ("driver", "base", "changed"),
    [
        ("docker", ASSEMBLED, {}),
        ("remote", f"{BASE}@sha256:1", {}),
        ("remote", BASE, {"build__platforms": ["linux/amd64", "linux/arm64"]}),
    ],
    ids=["own store", "known by digest", "other platforms"],
)
def test_nothing_lent(opened, recorder, saved, driver, base, changed):
    """What the builder sees is not sent to it, nor what it can pull, nor what the engine has for one platform alone."""
    recorder.lay_builder(driver)
    with planned(opened(images=[base], build__base=base.replace("3.12", "{python}"), **changed)) as asked:
        assert asked.lent == {}
    assert saved == []


def test_loaded_base(opened, recorder, saved):
    """An official base that no registry is known to have by its digest is lent: no tag is taken for it."""
    recorder.lay_builder("remote")
    with planned(opened(images=[BASE])) as asked:
        assert list(asked.lent) == [BASE]


def test_no_builder(opened, recorder):
    """A builder that is not there is refused before anything is built, and the Dockerfile is not blamed."""
    recorder.answer("buildx inspect", error='ERROR: no builder "nope" found\n', code=1)
    with pytest.raises(EngineError) as caught:
        build_image(opened(build__builder="nope"))

    assert sentences(caught.value)[0] == "The builder nope could not be asked."
    assert recorder.builds == []


def test_lent_to_nobody(opened, recorder, saved):
    """A plan that is only looked at says what would be lent, and copies nothing."""
    recorder.lay_builder("remote")
    with planned(opened(images=[ASSEMBLED]), builds=False) as asked:
        assert asked.lent == {ASSEMBLED: ""}
    assert saved == []


def test_cannot_be_lent(opened, recorder, monkeypatch, tmp_path):
    """An engine that saves no layouts lends nothing, and says so before anything is built."""
    recorder.lay_builder("remote")
    with tarfile.open(tmp_path / "saved.tar", "w") as archive:
        archive.add(__file__, "manifest.json")
    monkeypatch.setattr(FakeDaemon, "save", lambda *_: iter([(tmp_path / "saved.tar").read_bytes()]))
    with pytest.raises(EngineError) as caught:
        build_image(opened(images=[ASSEMBLED]))

    what, why, todo = sentences(caught.value)
    assert what == f"{ASSEMBLED} cannot be lent to the builder."
    assert "Docker 25" in why
    assert "--builder default" in todo
    assert recorder.builds == []
