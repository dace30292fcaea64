from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockyard.errors import DockyardError, EngineError
from dockyard.image import Image, notes, read
from images import (
    Member,
    Saved,
    archive,
    blob_name,
    encoded,
    file,
    folder,
    hardlink,
    image_of,
    saved,
    streamed,
    symlink,
    tar,
    whiteout,
)
from support import sentences

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]


def of_layer(layer: bytes, **asked) -> Image:
    """Read an image of one layer."""
    return read(streamed(archive(Saved(layers=[layer]).oci())), **asked)


def block(name: bytes = b"a", kind: bytes = b"0", size: bytes = b"00000000000\0", **fields: bytes) -> bytes:
    """Return a header with a right checksum, whatever is in it."""
    header = bytearray(512)
    places = {"mode": 100, "uid": 108, "gid": 116, "mtime": 136, "link": 157, "major": 329, "minor": 337, "sparse": 386}
    header[: len(name)] = name
    header[124 : 124 + len(size)] = size
    header[156:157] = kind
    header[257:265] = b"ustar\x0000"
    for field, value in fields.items():
        header[places[field] : places[field] + len(value)] = value
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def padded(data: bytes) -> bytes:
    """Return whole blocks."""
    return data + bytes(-len(data) % 512)


def extended(kind: bytes, data: bytes) -> bytes:
    """Return an extended header."""
    return block(b"x", kind, b"%011o\0" % len(data)) + padded(data)


def record(key: bytes, value: bytes) -> bytes:
    """Return a PAX record."""
    body = b" " + key + b"=" + value + b"\n"
    length = len(body) + 1
    while length != len(body) + len(str(length)):
        length = len(body) + len(str(length))
    return b"%d%s" % (length, body)


NEGATIVE = b"\xff" * 12
HUGE = b"\x80" + b"\xff" * 11


@pytest.mark.parametrize(
    "layer",
    {
        "negative size": block(size=NEGATIVE),
        "size of no number": block(size=b"12x45678901\0"),
        "size of signs": block(size=b"-0000000777\0"),
        "size beyond all": block(size=HUGE),
        "size beyond the end": block(size=b"00000007777\0") + b"few",
        "negative user": block(uid=b"\xff" * 8),
        "PAX size": extended(b"x", record(b"size", b"-5")) + block(),
        "PAX size of many digits": extended(b"x", record(b"size", b"9" * 5000)) + block(),
        "PAX length beyond its end": extended(b"x", b"999 path=a\n") + block(),
        "PAX length of nothing": extended(b"x", b"0 path=a\n") + block(),
        "PAX without a key": extended(b"x", b"10 abcdef\n") + block(),
        "PAX over 1 MiB": extended(b"x", record(b"path", b"a" * (1 << 20))) + block(),
        "long name over 1 MiB": extended(b"L", b"a" * ((1 << 20) + 1)) + block(),
        "long name that claims 8 GB": block(b"x", b"L", b"77777777777\0") + bytes(5000),
        "sparse map without an end": block(kind=b"S", sparse=bytes(96) + b"\1") + (bytes(504) + b"\1" + bytes(7)) * 10,
        "end mark with more": bytes(512) + block(),
        "broken checksum": block()[:-1] + b"x",
        "cut header": block() + block()[:100],
    }.items(),
    ids=lambda item: item[0],
)
def test_refused_layers(layer):
    """A layer whose headers say what cannot be is refused."""
    with pytest.raises(EngineError):
        of_layer(block() + layer[1])


@pytest.mark.parametrize(
    "member",
    [
        file("../../etc/cron.d/x"),
        file("a/../../x"),
        file(".."),
        file("a" * 4200),
        file("/".join("d" * 10_000)),
        hardlink("x", "../../etc/shadow"),
        hardlink("x", "/../etc/shadow"),
        file("etc/.wh."),
        file("etc/.wh.."),
        file("etc/.wh..."),
        file("etc/passwd/x"),
        symlink(".", "/etc"),
        Member(name="x", type=b"Z"),
        symlink("l", "l"),
    ],
    ids=lambda member: f"{member.name[:20]} {member.target}",
)
def test_refused_names(member):
    """A name that leads out, or to no place, changes nothing else, and is told in one bounded line."""
    below = [folder("etc/"), file("etc/passwd", b"root")]
    found = image_of(below + ([member, file("l/x")] if member.name == "l" else [member]))

    assert set(found.files) - {"/l"} == {"/", "/etc", "/etc/passwd"}
    (problem,) = found.problems
    assert len(problem) < 500
    assert "\n" not in problem


@pytest.mark.parametrize("name", ["/etc/x", "./etc/x", "etc//x", "//etc/./x", "a/../etc/x"])
def test_odd_names(name):
    """A name that is only written oddly is the name it means."""
    assert list(image_of([file(name)]).files)[-1] == "/etc/x"


def test_undecodable_names():
    """Bytes that are not UTF-8 are kept as surrogates, in names of every form; a problem prints them harmlessly."""
    long = b"\xff" * 150
    layer = block(b"caf\xe9") + extended(b"L", long) + block() + extended(b"x", record(b"path", b"p\xe9")) + block()
    found = of_layer(layer + block(b"../\xff\x1b[2J"))

    assert {os.fsencode(path) for path in found.files} == {b"/", b"/caf\xe9", b"/" + long, b"/p\xe9"}
    found.problems[0].encode("ascii")
    assert "\x1b" not in found.problems[0]


@pytest.mark.parametrize("form", ["GNU", "PAX 0.1", "PAX 1.0"])
def test_sparse(form):
    """A sparse file of 10 GB is known by its size, in no time, and told of; its bytes are not made up."""
    size = 10 << 30
    stored = b"AKIA" + bytes(508)
    if form == "GNU":
        header = block(
            b"big",
            b"S",
            b"%011o\0" % 512,
            sparse=b"%011o\0%011o\0" % (0, 4) + bytes(72) + b"\1" + b"\x80" + size.to_bytes(11, "big"),
        )
        layer = header + bytes(512) + stored
    elif form == "PAX 0.1":
        told = (
            record(b"GNU.sparse.size", b"%d" % size)
            + record(b"GNU.sparse.map", b"0,4")
            + record(b"GNU.sparse.name", b"big")
        )
        layer = extended(b"x", told) + block(b"GNUSparse.0/big", size=b"%011o\0" % 512) + stored
    else:
        told = record(b"GNU.sparse.major", b"1") + record(b"GNU.sparse.realsize", b"%d" % size)
        told += record(b"GNU.sparse.name", b"big")
        layer = extended(b"x", told) + block(b"GNUSparse.0/big", size=b"%011o\0" % 1024) + padded(b"1\n0\n4\n") + stored
    begun = time.monotonic()
    found = of_layer(layer + block(b"after"), keep=lambda *_: True)

    assert time.monotonic() - begun < 5
    assert (found.files["/big"].size, found.files["/big"].sha256) == (size, "")
    assert "/big" not in found.contents
    assert "/after" in found.files
    assert "sparse" in found.problems[0]


def test_links_in_circles():
    """Links that lead in circles, in a layer and in the image, end."""
    found = image_of([symlink("a", "b"), symlink("b", "a"), symlink("c", "c/c"), file("a/x"), file("c/x")])

    assert found.resolve("/a/x") is found.resolve("/a") is found.resolve("/c") is None
    assert found.which("/a") == ()
    assert len(found.problems) == 2


def test_whiteouts_of_everything():
    """Many removals of many files take no longer than reading them."""
    names = [f"d{number % 100}/f{number}" for number in range(5000)]
    begun = time.monotonic()
    found = image_of(*([file(each) for each in names], [whiteout(each) for each in names]) * 2)

    assert not [entry for entry in found.files.values() if entry.is_file]
    assert time.monotonic() - begun < 20


def test_folders_replaced_over_and_over():
    """A layer that makes each folder only to replace it is refused before that takes long."""
    layer = tar(*(each for _ in range(100) for each in (file("d/x"), file("d"), folder("d"))))
    with pytest.raises(EngineError, match="over and over"):
        of_layer(layer)


def test_more_entries_than_can_be_held(monkeypatch):
    """An image of more entries, or longer names, than memory should hold is refused."""
    monkeypatch.setattr(notes, "MAX_ENTRIES", 100)
    with pytest.raises(EngineError, match="more than 100 entries"):
        image_of([file(f"{number}") for number in range(101)])
    with pytest.raises(EngineError, match="more than 100 entries"):
        image_of([file("/".join("d" * 200))])


def test_many_problems(monkeypatch):
    """Problems are listed up to a number, and how many more there are is told."""
    monkeypatch.setattr(notes, "MAX_PROBLEMS", 10)
    found = image_of([file(f"../{number}") for number in range(25)])

    assert len(found.problems) == 11
    assert "15 more" in found.problems[-1]


def test_kept_bytes(monkeypatch):
    """What is kept of one file and of all is bounded, and what was left out is told."""
    monkeypatch.setattr(notes, "MAX_KEPT", 3100)
    monkeypatch.setattr(notes, "MAX_KEPT_FILE", 1500)
    found = image_of([file("a", b"a" * 1500), file("b", b"b" * 1501), file("c", b"c" * 1500), file("d", b"d" * 200)])

    assert list(found.contents) == ["/a", "/c"]
    assert any("/b" in problem for problem in found.problems)
    assert any("/d" in problem for problem in found.problems)


LONG = 1 << 30


def zeros() -> Iterator[bytes]:
    """Yield a layer of one file of a gigabyte."""
    yield block(size=b"%011o\0" % LONG)
    yield from (bytes(1 << 20) for _ in range(LONG >> 20))


def entries(count: int) -> Iterator[bytes]:
    """Yield a layer of small files with long names."""
    for number in range(count):
        name = b"a/rather/long/name/" * 4 + b"%d" % number
        yield block(name, size=b"00000000001\0") + padded(b"%d" % (number % 10))


def written(path: Path, layer: Iterator[bytes]) -> None:
    """Write an image of one layer, which need not fit into memory."""
    inner = hashlib.sha256()
    packed = io.BytesIO()
    with gzip.open(packed, "wb", 1) as out:
        for piece in layer:
            inner.update(piece)
            out.write(piece)
    blob = packed.getvalue()
    config = encoded({"rootfs": {"diff_ids": [f"sha256:{inner.hexdigest()}"]}})
    listed = [{"Config": blob_name(config), "RepoTags": ["a:1"], "Layers": [blob_name(blob)]}]
    path.write_bytes(archive({blob_name(blob): blob, blob_name(config): config, "manifest.json": encoded(listed)}))


MEASURE = """
import re, sys
from pathlib import Path
from dockyard.errors import DockyardError
from dockyard.image import Pattern, read
patterns = [Pattern(name="a", triggers=(b"AKIA",), regex=b"AKIA[A-Z0-9]{16}", text_only=False)]
try:
    found = len(read(Path(sys.argv[1]), patterns=patterns).files)
except DockyardError as error:
    found = error.why
# What getrusage tells begins with the memory of the process that started this one.
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
print(int(peak) >> 10, found, sep=";")
"""


@pytest.mark.parametrize(
    ("layer", "outcome"),
    [(zeros, "2"), (lambda: entries(150_000), "150017"), (lambda: entries(170_000), "It has more than 160000 entries")],
    ids=["a gigabyte of zeros", "many files", "too many files"],
)
def test_memory(layer, outcome, tmp_path):
    """Whatever is sent, the memory of a process that reads it stays below 200 MB."""
    path = tmp_path / "image.tar"
    written(path, layer())
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)],
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        timeout=120,
        capture_output=True,
        text=True,
    )
    memory, found = done.stdout.strip().split(";")

    assert found.startswith(outcome)
    assert int(memory) < 200


def test_many_small_gzip_members():
    """A layer of very many gzip members takes time in line with its length."""
    layer = b"".join(gzip.compress(tar(file("a"))[at : at + 1]) for at in range(2048))
    begun = time.monotonic()
    with pytest.raises(DockyardError):
        read(streamed(archive({"stray": layer * 20})))

    assert time.monotonic() - begun < 20


BASE = archive(
    Saved(
        layers=[
            tar(folder("d/"), file("d/a", b"text " * 99), symlink("l", "d/a"), hardlink("h", "d/a"), file("e" * 150)),
            tar(whiteout("d/a"), file("new", bytes(3000)), form=tarfile.GNU_FORMAT),
        ],
        compression="none",
    ).oci()
)
OLDER = tar(*Saved(layers=[tar(file("a", b"1")), tar(file("b", b"2"))]).classic())
# Every call ends well before this; a machine that is busy is given room.
DEADLINE = 20
FUZZ = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


def survives(data: bytes) -> None:
    """See that an archive gives an image or our error, soon."""
    begun = time.monotonic()
    try:
        found = read(streamed(data, 4096))
    except DockyardError as error:
        sentences(error)
    else:
        assert isinstance(found, Image)
        list(found.removed())
        assert all(found.files[path].path == path for path in found.files)
        assert {os.path.dirname(path) for path in found.files} <= set(found.files)  # noqa: PTH120 - not of this machine
    assert time.monotonic() - begun < DEADLINE


@FUZZ
@given(st.binary(max_size=3000))
def test_random_bytes(data):
    """Random bytes are an error."""
    survives(data)


@FUZZ
@given(
    st.sampled_from([BASE, OLDER]), st.lists(st.tuples(st.integers(0), st.binary(min_size=1, max_size=12)), max_size=6)
)
def test_mutated_archives(data, changes):
    """An archive with bytes changed anywhere is read or refused."""
    mutated = bytearray(data)
    for at, put in changes:
        place = at % len(mutated)
        mutated[place : place + len(put)] = put
    survives(bytes(mutated))


@FUZZ
@given(st.randoms(use_true_random=False), st.integers(1, 6))
def test_mutated_layers(rng, count):
    """A layer of changed headers with right checksums, in an archive that vouches for it, is read or refused."""
    layer = bytearray(tar(*_members(rng)))
    for _ in range(count):
        at = rng.randrange(len(layer) // 512) * 512
        if layer[at + 257 : at + 262] == b"ustar":
            place = rng.choice([0, 1, 100, 124, 125, 135, 136, 156, 157, 158, 345, 386, 482])
            layer[at + place] = rng.choice([0, 1, 32, 46, 47, 48, 49, 50, 53, 55, 76, 83, 103, 120, 128, 255])
            layer[at + 148 : at + 156] = b" " * 8
            layer[at + 148 : at + 156] = b"%06o\0 " % sum(layer[at : at + 512])
    survives(archive(Saved(layers=[bytes(layer)], compression="none").oci()))


def _members(rng: random.Random) -> list[Member]:
    """Return members of few names, so that they meet."""
    made = []
    for _ in range(rng.randint(1, 9)):
        name = "/".join(rng.choice(["a", "b", ".wh.a", "..", ".", "é" * 60]) for _ in range(rng.randint(1, 4)))
        target = rng.choice(["a", "b/a", "../a", "/", "a/b"])
        made.append(
            rng.choice(
                [file(name, b"x" * rng.randint(0, 700)), folder(name), symlink(name, target), hardlink(name, target)]
            )
        )
    return made


def test_sound_images_survive():
    """What the fuzzing begins with is read, so that it tries more than the first check."""
    for data in (BASE, OLDER, saved([file("a")])):
        assert read(streamed(data)).problems == ()


def test_window():
    """A zstd layer that would need more memory than the whole reading may have is refused."""
    wide = zstandard.ZstdCompressor(compression_params=zstandard.ZstdCompressionParameters(window_log=27)).compressobj()
    blob = wide.compress(tar(file("a"))) + wide.flush()
    found = read(streamed(archive({**Saved(layers=[tar(file("a"))]).oci(), "stray": blob})))

    assert "too much memory" in found.problems[0]
