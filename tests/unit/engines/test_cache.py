"""What a builder keeps, as buildx tells it."""

from __future__ import annotations

from functools import partial

import pytest

from dockyard.engines.cache import CacheRecord, read_records
from dockyard.errors import EngineError
from support import recorded, sentences

record = partial(CacheRecord, kind="exec.cachemount")


@pytest.mark.parametrize(
    ("ask", "call"),
    [
        (lambda cache: cache.mounts(None), "du --verbose --filter type=exec.cachemount"),
        (lambda cache: cache.mounts("one"), "du --builder one --verbose --filter type=exec.cachemount"),
    ],
)
def test_arguments(recorder, ask, call):
    """Each question becomes exactly one docker command."""
    ask(recorder.buildx.cache)

    assert recorder.calls == [["buildx", *call.split()]]


def test_mounts(recorder):
    """What BuildKit keeps for cache mounts is read with its sizes and uses; all else is left out."""
    recorder.answer("buildx du", output=recorded("buildkit/cache-mounts.txt"))

    assert recorder.buildx.cache.mounts(None) == (
        record(id="a427ixky05jjgbazayodw6a2a", target="/root/.cache/uv", size=440_200_000, uses=4),
        record(id="xif17g5uetoarha36nhzel4ft", target="/root/.cache/pip", size=4096, uses=3),
    )


def test_no_mounts(recorder):
    """A builder that has none gives none, and one that cannot be asked raises with its own words."""
    recorder.answer("buildx du", output="Reclaimable:\t0B\nTotal:\t\t0B\n")
    assert recorder.buildx.cache.mounts(None) == ()

    recorder.answer("buildx du", error='ERROR: no builder "one" found\n', code=1)
    with pytest.raises(EngineError) as caught:
        recorder.buildx.cache.mounts("one")
    assert 'no builder "one" found' in sentences(caught.value)[1]


@pytest.mark.parametrize(
    ("told", "size"),
    [
        ("0B", 0),
        ("12B", 12),
        ("4.096kB", 4096),
        ("440.2MB", 440_200_000),
        ("1.5GB", 1_500_000_000),
        ("2KiB", 2048),
        ("?", 0),
    ],
)
def test_sizes(told, size):
    """A size for people is read as bytes; one of an unknown form counts for nothing."""
    record = f"ID:\t\tx\nSize:\t\t{told}\nDescription:\tcached mount /c from exec /bin/sh -c true\n"

    assert [each.size for each in read_records(record)] == [size]
