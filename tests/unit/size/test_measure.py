"""Every figure of an image, and that they add up."""

from __future__ import annotations

import pytest

from dockyard.size import folders, kinds
from dockyard.size.measure import instruction
from images import file, folder, hardlink, opaque, symlink, whiteout
from unit.size.installed import cost, installed

BASE = [file("usr/lib/libc.so.6", b"c" * 400), file("usr/bin/sh", b"s" * 50, mode=0o755), file("etc/motd", b"m" * 7)]
PACKAGES = installed("numpy", "2.5.5", {"numpy/core.so": b"n" * 300, "numpy/__init__.py": b"i" * 30})
LAYERS = (
    BASE,
    [*PACKAGES, file("tmp/cache", b"t" * 90), hardlink("usr/bin/bash", "usr/bin/sh")],
    [
        whiteout("tmp/cache"),
        file("etc/motd", b"changed"),
        file("app/main.py", b"a" * 20),
        symlink("app/link", "main.py"),
    ],
    [folder("etc"), opaque("etc")],
)


@pytest.fixture
def done(measured):
    return measured(*LAYERS, base=1, lines={0: 1, 1: 3, 2: 4})


def test_total_is_what_a_container_sees(done):
    """The total is the bytes of the merged files."""
    assert done.total == 400 + 50 + cost(PACKAGES) + 20


def test_layers_add_up(done):
    """The layers' bytes, less what later ones hide, are the total; so is the base and what is on top, less the same."""
    assert sum(each.bytes for each in done.layers) - done.hidden == done.total
    assert done.layers[0].bytes + done.over_base - done.hidden == done.total
    assert [each.hidden for each in done.layers] == [7, 90, 7, 0]
    assert done.hidden == done.waste.of("overwritten") + done.waste.of("deleted")


@pytest.mark.parametrize("depth", [1, 2, 3, 9])
def test_folders_add_up(done, depth):
    """Each file counts in one folder, whatever the depth."""
    assert sum(each.bytes for each in folders(done, depth)) == done.total
    assert sum(each.files for each in folders(done, depth)) == len(done.files)


def test_kinds_add_up(done):
    """Each file counts in one kind."""
    assert sum(each.bytes for each in kinds(done)) == done.total


def test_folders(done):
    """A folder has what is below it, the largest first; a file above the depth is in its own folder."""
    told = [(each.name, each.bytes) for each in folders(done, 2)]

    assert told[:2] == [("/venv/lib", cost(PACKAGES)), ("/usr/lib", 400)]
    assert {each.name for each in folders(done, 1)} == {"/usr", "/venv", "/app"}


def test_root_folder(measured):
    """A file of the root counts there."""
    assert [(each.name, each.bytes) for each in folders(measured([file("a", b"12")]), 3)] == [("/", 2)]


def test_base(done):
    """The base's layers are told apart, and the lines of the others' instructions are known."""
    assert [each.base for each in done.layers] == [True, False, False, False]
    assert [each.line for each in done.layers] == [1, 3, 4, 0]


def test_no_base(measured):
    """Where the base is not known, nothing is said to be on top of it."""
    assert measured(BASE).over_base is None


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_pull(measured, compression):
    """A pull costs the compressed layers."""
    done = measured([file("a", b"a" * 100_000)], BASE, compression=compression)

    assert 0 < done.layers[0].compressed < 1000
    assert done.compressed == sum(each.compressed for each in done.layers)


def test_pull_is_not_known(measured):
    """Of an archive that is not compressed it cannot be told what a pull costs."""
    done = measured(BASE, compression="none")

    assert (done.layers[0].compressed, done.compressed) == (None, None)


def test_empty_image(measured):
    """An image without files has nothing, and divides by nothing."""
    done = measured([folder("a")])

    assert (done.total, done.files, done.distributions, done.waste.total, kinds(done)) == (0, (), (), 0, ())


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("COPY config config # buildkit", "COPY config config"),
        ("RUN /bin/sh -c apt-get update # buildkit", "RUN apt-get update"),
        ("RUN |2 A=1 B=two words /bin/sh -c make \t all # buildkit", "RUN make all"),
        ('/bin/sh -c #(nop)  CMD ["sh"]', 'CMD ["sh"]'),
        ("/bin/sh -c make", "RUN make"),
        ("|1 A=1 /bin/sh -c make", "RUN make"),
        ("Debian, assembled", "Debian, assembled"),
        ("", ""),
    ],
)
def test_instruction(step, told):
    """What builders add to an instruction is left out."""
    assert instruction(step) == told


def test_history_that_says_nothing(measured):
    """A layer without a step of history has no instruction, and is counted."""
    done = measured(BASE, history=[])

    assert (done.layers[0].instruction, done.layers[0].bytes) == ("", 457)
