"""Images are saved with the ids that any engine may have for them, and one that is another is never built on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard import bundle
from dockyard.engines import Engine
from dockyard.errors import EngineError
from dockyard.machine import Base
from images import file, saved
from support import FakeDaemon, image

REFERENCE = "tiny:1"
CONTENT = saved([file("a", b"a")])
OFFICIAL = Base(reference=REFERENCE, pinned=REFERENCE, official=True, digest="sha256:registry", how="official")


class Store(FakeDaemon):
    """An engine whose image has an id that can change."""

    id: str = ""

    def image(self, reference):
        return image(id=self.id) if self.id else None

    def save(self, _):
        yield CONTENT[:100]
        yield CONTENT[100:]


@pytest.fixture
def store(recorder):
    return Store(recorder)


@pytest.fixture
def engine(recorder, store):
    return Engine(recorder.buildx, store)


@pytest.fixture
def kept(engine, store, tmp_path):
    """The image, saved."""
    store.id = "sha256:manifest"
    return bundle.save(engine, REFERENCE, tmp_path, why="FROM", base=OFFICIAL)


def test_save(kept, tmp_path):
    """The archive is as the engine sent it, and both ids are known: that of the manifest, and the configuration's."""
    assert (tmp_path / kept.member).read_bytes() == CONTENT
    assert kept.member == "images/tiny_1.tar"
    manifest, configuration = kept.ids
    assert manifest == "sha256:manifest"
    assert configuration.removeprefix("sha256:").encode() in CONTENT
    assert (kept.official, kept.digest) == (True, "sha256:registry")


def test_pulled_if_absent(engine, store, recorder, tmp_path):
    """An image that the engine has not is pulled; if it does not come, that is said."""
    with pytest.raises(EngineError, match="did not come"):
        bundle.save(engine, REFERENCE, tmp_path, why="COPY --from")
    assert recorder.calls == [["image", "pull", "--quiet", REFERENCE]]


@pytest.mark.parametrize("known", [0, 1])
def test_is_there(engine, store, kept, known):
    """An image is there by either of its ids, and no other of its name is."""
    store.id = kept.ids[known]
    assert bundle.is_there(engine, kept)
    store.id = "sha256:other"
    assert not bundle.is_there(engine, kept)


def test_load(engine, store, recorder, kept, tmp_path):
    """What is loaded must be what was saved; which image lost its name to it is said."""
    said = []
    bundle.load(engine, kept, tmp_path / kept.member, said.append)
    assert recorder.calls == [["image", "load", "--input", str(tmp_path / kept.member), "--quiet"]]
    assert said == [f"{REFERENCE} is loaded from the bundle; until now {'manifest':.12} was called so."]
    other = replace(kept, ids=("sha256:another",))
    with pytest.raises(EngineError, match="is not what the bundle says"):
        bundle.load(engine, other, tmp_path / kept.member, said.append)


DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("reference", "loaded"),
    [
        (REFERENCE, REFERENCE),
        (f"{REFERENCE}@{DIGEST}", f"tiny:{DIGEST.replace(':', '-')}"),
        (f"host:5000/a/tiny@{DIGEST}", f"host:5000/a/tiny:{DIGEST.replace(':', '-')}"),
    ],
)
def test_name_of_loaded(reference, loaded):
    """What is named by digest gets a tag that says the digest, so it is never taken from another image."""
    assert bundle.name_of_loaded(reference) == loaded


@pytest.mark.parametrize("has_it", [False, True])
def test_named_by_digest(engine, store, recorder, tmp_path, monkeypatch, has_it):
    """It is saved by that tag, which goes again unless it was there before."""
    reference = f"{REFERENCE}@{DIGEST}"
    tag = bundle.name_of_loaded(reference)
    monkeypatch.setattr(store, "image", lambda name: image(id=DIGEST) if has_it or name == reference else None)
    monkeypatch.setattr(store, "save", lambda name: [CONTENT] if name == tag else [])
    kept = bundle.save(engine, reference, tmp_path, why="FROM")
    assert (kept.reference, kept.ids[0]) == (reference, DIGEST)
    calls = [] if has_it else [["image", "tag", reference, tag], ["image", "rm", "--force", tag]]
    assert recorder.calls == calls
