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
        (lambda cache: cache.records(None), "du --verbose"),
        (lambda cache: cache.remove("one", ["a", "b"]), "prune --builder one --all --force --filter id=^(a|b)$"),
    ],
)
def test_arguments(recorder, ask, call):
    """Each question becomes exactly one docker command."""
    ask(recorder.buildx.cache)

    assert recorder.calls == [["buildx", *call.split()]]


def test_mounts(recorder):
    """What BuildKit keeps for cache mounts is read with its sizes and uses; all else is left out."""
    recorder.answer("buildx du", output=recorded("buildkit/cache-mounts.txt"))

    ran = "/bin/sh -c uv venv --quiet /opt/venv &&     uv pip install --requirement service.txt"
    uv, pip = recorder.buildx.cache.mounts(None)
    assert uv == record(
        id="a427ixky05jjgbazayodw6a2a",
        target="/root/.cache/uv",
        size=440_200_000,
        uses=4,
        age=60,
        description=f'cached mount /root/.cache/uv from exec {ran} with id "//root/.cache/uv"',
    )
    assert (pip.id, pip.target, pip.size, pip.uses) == ("xif17g5uetoarha36nhzel4ft", "/root/.cache/pip", 4096, 3)


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
    record = f"ID:\t\tx\nSize:\t\t{told}\nDescription:\tRUN true\nUsage count:\t1\nType:\t\tregular\n"

    assert [each.size for each in read_records(record)] == [size]


STEP = """ID:\t\tchild
Parent:\tbelow
Created at:\t2026-11-23 10:29:40.398680367 +0000 UTC
Mutable:\tfalse
Size:\t\t12.29kB
Description:\tmount / from exec /bin/sh -c echo one

ID: no record
Type:\tnone of it
Usage count:\t7

Usage count:\t2
Last used:\t2 hours ago
Type:\t\tregular

ID:\t\tlast
Parents:\tone,other
Size:\t\t0B
Usage count:\t0
Type:\t\tregular

Reclaimable:\t46.52MB
Total:\t\t46.52MB
"""


def test_records():
    """A description may have lines of any form: what it says of itself is not taken for the record's own words."""
    child, last = read_records(STEP)

    assert (child.id, child.parents, child.size, child.uses, child.age) == ("child", ("below",), 12290, 2, 7200)
    assert child.description.endswith("Usage count:\t7")
    assert (last.id, last.parents, last.age, last.description) == ("last", ("one", "other"), None, "")


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("Less than a second ago", 0),
        ("1 second ago", 1),
        ("About a minute ago", 60),
        ("12 minutes ago", 720),
        ("About an hour ago", 3600),
        ("3 weeks ago", 1814400),
        ("never", None),
    ],
)
def test_ages(told, seconds):
    """An age for people is read as seconds; one of an unknown form is not known."""
    (one,) = read_records(f"ID:\t\tx\nUsage count:\t1\nLast used:\t{told}\nType:\t\tregular\n")

    assert one.age == seconds


def test_removed(recorder):
    """What BuildKit names as removed is counted, and what stayed is not."""
    head = "ID\t\tRECLAIMABLE\tSIZE\tLAST ACCESSED\n"
    recorder.answer("buildx prune", output=f"{head}a* \ttrue 8.192kB 7 seconds ago\nTotal:\t8.192kB\n")

    assert recorder.buildx.cache.remove(None, ["a", "b"]) == 1
