"""A build's attestation, read back from the engine."""

from __future__ import annotations

import base64
from types import SimpleNamespace

import pytest

from dockyard.build.attested import INDEX, read_back
from dockyard.engines import Engine
from dockyard.errors import BuildError
from images import encoded, streamed
from support import SECRET, sentences
from unit.image.test_attested import built

PLAN = SimpleNamespace(provenance="max", tags=("tiny:1",), platforms=())


@pytest.fixture
def engine(recorder):
    """Return an engine that has one image with a statement."""

    def engine(statement: object):
        data, index = built(told=encoded(statement))
        daemon = SimpleNamespace(save=lambda reference: streamed(data))
        told = {"containerimage.digest": index, "containerimage.descriptor": {"mediaType": INDEX}}
        return Engine(recorder.buildx, daemon), told

    return engine


def test_digests(engine):
    """The image's own digest is told apart from that of the index, and the statement is what the engine has."""
    real, told = engine({"a": 1})
    made = read_back(PLAN, real, told, ())
    assert made.index == told["containerimage.digest"] != made.digest
    assert made.statements == ({"a": 1},)


@pytest.mark.parametrize(
    ("told", "digest"),
    [
        ({"containerimage.digest": "sha256:1", "containerimage.config.digest": "sha256:2"}, "sha256:1"),
        ({"containerimage.config.digest": "sha256:2"}, "sha256:2"),
        ({}, ""),
    ],
)
def test_without(told, digest):
    """Without an index nothing is read, whatever was asked for."""
    for plan in (PLAN, replace_plan("")):
        made = read_back(plan, SimpleNamespace(), told, ())
        assert (made.digest, made.index, made.statements) == (digest, "", ())


def replace_plan(mode: str) -> SimpleNamespace:
    return SimpleNamespace(provenance=mode, tags=("tiny:1",), platforms=())


@pytest.mark.parametrize(
    "statement",
    [
        {"predicate": {"args": {"build-arg:INDEX": f"https://me:{SECRET}@host"}}},
        {"predicate": [{SECRET: 1}]},
        {"data": base64.b64encode(f"ARG X={SECRET}".encode()).decode()},
    ],
)
def test_secret(engine, statement):
    """A secret in a statement, also in the Dockerfile that it holds, fails the build and is not repeated."""
    real, told = engine(statement)
    with pytest.raises(BuildError) as caught:
        read_back(PLAN, real, told, (SECRET,))
    assert SECRET not in "".join(sentences(caught.value))
    assert read_back(PLAN, real, told, ("another-secret",)).statements == (statement,)


def test_several_platforms(recorder):
    """Of several platforms each image's digest is kept, and what a registry gets is the index."""
    data, index = built(images=2)
    told = {"containerimage.digest": index, "containerimage.descriptor": {"mediaType": INDEX}}
    plan = SimpleNamespace(provenance="max", tags=("tiny:1",), platforms=("linux/amd64", "linux/arm64"))
    made = read_back(plan, Engine(recorder.buildx, SimpleNamespace(save=lambda _: streamed(data))), told, ())
    assert (made.digest, made.index) == (index, index)
    assert len(made.platforms) == 2
