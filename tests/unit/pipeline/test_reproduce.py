from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard import reproduce
from dockyard.engines.facts import ServerFacts
from dockyard.errors import AuditError, EngineError, SettingsError
from dockyard.pipeline.reproduce import ReproduceOptions, reproduce_image, require_same
from dockyard.reproduce import Comparison, Difference, How, Rebuilt, Seen
from images import file, saved, streamed
from support import BASE, IMAGE, FakeDaemon, sentences

DIFFERENCE = Difference(
    place=None, subject="/x\x1b", seen=Seen(how=How.MODE, detail="mode 644 and 600"), remedy="Set it."
)
EQUAL = Rebuilt(comparison=Comparison(digests=("sha256:1", "sha256:1"), alike=True, differences=()), seconds=(1.0,))
SERVER = ServerFacts(version="26", containerd_store=True, architecture="x86_64", data_root="/")
QUIET = ReproduceOptions(progress="quiet")


@pytest.fixture
def shops(monkeypatch):
    """The workshops that builds would be made in, and what they would be compared with."""
    seen = []

    def twice(shop):
        seen.append((shop, None))
        return EQUAL

    def beside(shop, other):
        seen.append((shop, other))
        return EQUAL

    monkeypatch.setattr(reproduce, "build_twice", twice)
    monkeypatch.setattr(reproduce, "build_beside", beside)
    return seen


@pytest.fixture
def ready(opened, project, recorder):
    """Open the project, with a Dockerfile, on an engine with containerd's store."""
    (project / "Dockerfile").write_text("FROM scratch AS builder\nFROM builder\nCOPY a /\n")

    def ready(*, containerd: bool = True, base: str = BASE, **changed):
        daemon = FakeDaemon(recorder, images=[base, f"{IMAGE}:prod"])
        daemon.server = lambda: replace(SERVER, containerd_store=containerd)
        daemon.save = lambda reference: streamed(saved([file("a")], reference=reference))
        return opened(daemon=daemon, **changed)

    return ready


def test_twice(ready, shops, capsys):
    """The project's own build is made twice; that cache mounts stay is said."""
    assert reproduce_image(ready(), QUIET) is EQUAL

    ((shop, other),) = shops
    assert other is None
    assert shop.plan.reproducible
    assert shop.target.index == 1
    assert [each.text for each in shop.instructions if each.keyword == "COPY"] == ["COPY a /"]
    assert "cache mounts stay" in capsys.readouterr().err


def test_note_of_the_base(ready, shops, project, capsys):
    """What is to be known of the base is told here, too."""
    (project / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n")
    reproduce_image(ready(base=f"dockyard.local/{BASE}"), QUIET)

    assert f"Base: dockyard.local/{BASE}, assembled on this machine" in capsys.readouterr().err


def test_stage(ready, shops):
    """A stage can be looked at alone."""
    reproduce_image(ready(quiet=True), ReproduceOptions(stage="builder", progress="quiet"))

    assert (shops[0][0].plan.target, shops[0][0].target.name) == ("builder", "builder")


def test_against(ready, shops, project):
    """Another's image is a reference of the engine's or a file, opened each time that it is read."""
    archive = project / "image.tar"
    archive.write_bytes(saved([file("a")]))
    for against in (f"{IMAGE}:prod", str(archive)):
        reproduce_image(ready(quiet=True), ReproduceOptions(against=against, progress="quiet"))

    (_, reference), (_, path) = shops
    assert b"".join(reference()) == b"".join(reference())
    assert path() == archive


def test_nothing_to_compare_with(ready, shops, recorder):
    """An image that is not there is refused before anything is built."""
    with pytest.raises(EngineError) as caught:
        reproduce_image(ready(quiet=True), ReproduceOptions(against="gone:1"))

    assert sentences(caught.value)[0] == "There is no image gone:1."
    assert shops == []


def test_classic_store(ready, shops):
    """An engine that cannot do it says so at once."""
    with pytest.raises(EngineError) as caught:
        reproduce_image(ready(quiet=True, containerd=False), QUIET)

    assert "classic store" in sentences(caught.value)[1]
    assert shops == []


def test_no_dockerfile(ready, shops, project):
    """A Dockerfile that is not there is the user's to mend, not a mistake of ours."""
    (project / "Dockerfile").unlink()
    with pytest.raises(SettingsError) as caught:
        reproduce_image(ready(quiet=True), QUIET)

    assert "cannot be read" in sentences(caught.value)[0]
    assert shops == []


def test_require_same():
    """A difference is an error that names the first one; another's image may be packed otherwise."""
    differing = replace(EQUAL, comparison=replace(EQUAL.comparison, differences=(DIFFERENCE,)))
    other = ReproduceOptions(against="other:1")
    require_same(EQUAL, QUIET)
    require_same(differing, other)
    with pytest.raises(AuditError) as caught:
        require_same(differing, QUIET)
    what, why, todo = sentences(caught.value)
    assert (what, todo) == ("Two builds give two images.", "Set it.")
    assert "mode 644 and 600" in why
    assert "\x1b" not in why
    with pytest.raises(AuditError) as caught:
        require_same(replace(differing, comparison=replace(differing.comparison, alike=False)), other)
    assert "other:1" in sentences(caught.value)[0]
