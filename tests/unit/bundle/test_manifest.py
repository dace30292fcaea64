"""A manifest is taken as it was written, and refused where it could not have been."""

from __future__ import annotations

import json

import pytest

from dockyard import bundle
from dockyard.bundle import manifest as manifests
from dockyard.errors import EngineError

from . import made


@pytest.fixture
def written(tmp_path) -> bytes:
    return made.manifest(bundle.staged(made.stage(tmp_path))).written()


def test_round_trip(written):
    """What was written is read as the same value, and written as the same bytes."""
    read = manifests.read(written)
    assert read.written() == written
    assert read.python("3.13").wheels == (made.ALPHA,)
    assert read.python("3.14") is None


def put(document, place, value):
    *above, last = place
    for key in above:
        document = document[key]
    document[last] = value


@pytest.mark.parametrize(
    ("place", "value", "member", "why"),
    [
        (("version",), 2, "manifest.json", "It is of version 2, and 1 is read here."),
        (("surprise",), 1, "manifest.json", "surprise: Unexpected keyword argument."),
        (("members", 0, "kind"), "program", "manifest.json", "members.0.kind: Input should be "),
        (("members", 0, "sha256"), "short", "images/base.tar", "The manifest has no digest or size of it."),
        (("members", 0, "size"), -1, "images/base.tar", "The manifest has no digest or size of it."),
        (("members", 0, "name"), "wheels/base.tar", "wheels/base.tar", "No member of a bundle may be called so."),
        (("members", 3, "name"), made.ALPHA, made.ALPHA, "The manifest names it twice."),
        (("images", 0, "member"), "images/x.tar", "images/x.tar", "The manifest needs it and does not list it."),
        (("pythons", 1, "toolkit"), ["toolkit/x"], "toolkit/x", "The manifest needs it and does not list it."),
        (("pythons", 1, "base"), "x:1", "manifest.json", "It has no image x:1, which Python 3.13 needs."),
    ],
)
def test_refused(written, place, value, member, why):
    """What does not fit together is refused, and named."""
    document = json.loads(written)
    put(document, place, value)
    with pytest.raises(EngineError) as caught:
        manifests.read(json.dumps(document).encode())
    assert caught.value.what == f"The bundle is refused: {member}."
    assert caught.value.why.startswith(why)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_no_json(content):
    """What is no JSON, or JSON of something else, is refused."""
    with pytest.raises(EngineError, match=r"refused: manifest\.json"):
        manifests.read(content)
