"""Which distribution a file is of."""

from __future__ import annotations

import pytest

from dockyard.size import keeps
from images import file, hardlink, symlink, whiteout
from unit.size.installed import SITE, cost, installed

NUMPY = installed("numpy", "2.5.5", {"numpy/a.so": b"n" * 300, "numpy/a.py": b"i" * 30, "../../../bin/f2py": b"f" * 9})


def told(done):
    return [(each.name, each.version, each.recorded, each.bytecode) for each in done.distributions]


def test_recorded(measured):
    """A distribution has the bytes of the files that its RECORD names, those outside of its folder too."""
    done = measured([*NUMPY, file(f"{SITE}/stray.pth", b"12345"), file("app/a.py", b"1")])

    assert told(done) == [("numpy", "2.5.5", cost(NUMPY), 0)]
    assert done.distributions[0].files == len(NUMPY)
    assert (done.distributions[0].place, done.distributions[0].layer) == (f"/{SITE}", 0)


def test_in_no_record(measured):
    """What lies beside distributions and is in no RECORD is counted apart."""
    done = measured([*NUMPY, file(f"{SITE}/stray.pth", b"12345"), file("app/a.py", b"1")])

    assert (done.unrecorded.bytes, done.unrecorded.files) == (5, 1)


def test_bytecode(measured):
    """What was compiled of a distribution's source counts with it, apart; without that source it is of none."""
    compiled = [
        file(f"{SITE}/numpy/__pycache__/a.cpython-312.pyc", b"p" * 40),
        file(f"{SITE}/numpy/__pycache__/a.cpython-312.opt-1.pyc", b"q" * 2),
        file(f"{SITE}/numpy/__pycache__/gone.cpython-312.pyc", b"r" * 5),
    ]
    done = measured(NUMPY, compiled)

    assert told(done) == [("numpy", "2.5.5", cost(NUMPY), 42)]
    assert done.distributions[0].bytes == cost(NUMPY) + 42
    assert done.unrecorded.bytes == 5


def test_recorded_bytecode_counts_once(measured):
    """Bytecode that RECORD names is recorded, and not counted again."""
    members = installed("a", "1", {"a.py": b"1" * 10, "__pycache__/a.cpython-312.pyc": b"2" * 20})

    assert told(measured(members)) == [("a", "1", cost(members), 0)]


def test_deleted_files_do_not_count(measured):
    """What RECORD names and a later layer deleted costs the distribution nothing."""
    done = measured(NUMPY, [whiteout(f"{SITE}/numpy/a.so")])

    assert told(done) == [("numpy", "2.5.5", cost(NUMPY) - 300, 0)]


def test_uninstalled(measured):
    """A distribution whose folder is gone is none."""
    assert measured(NUMPY, [whiteout("venv")]).distributions == ()


def test_named_twice(measured):
    """A file that two RECORDs name is counted once, so that the sum stays below the total."""
    one = installed("a", "1", {"shared/x": b"x" * 100})
    two = installed("b", "1", {"shared/x": b"x" * 100})
    done = measured([*one, *two])

    assert sum(each.bytes for each in done.distributions) == done.total == cost(one) + cost(two) - 100


def test_hard_linked_installs(measured):
    """Two environments that share their files by hard links cost them once."""
    one = installed("a", "1", {"a.py": b"x" * 100}, site="one/site-packages")
    links = [hardlink(each.name.replace("one", "two", 1), each.name) for each in one]

    assert sum(each.bytes for each in measured([*one, *links]).distributions) == cost(one)


def test_through_a_linked_folder(measured):
    """RECORD may name its files through a folder that is a link."""
    members = installed("a", "1", {"../../lib64/a.so": b"x" * 100}, site="venv/lib/site-packages")
    real = [file("venv/lib/a.so", b"x" * 100) if each.name.endswith("a.so") else each for each in members]

    assert told(measured([symlink("venv/lib64", "lib"), *real])) == [("a", "1", cost(members), 0)]


def test_record_with_commas_and_odd_bytes(measured):
    """RECORD is CSV, and names of files are bytes."""
    folder = f"{SITE}/a-1.dist-info"
    record = b'"a, b.py",,\r\n\xff.py,,\r\n\r\n'
    members = [file(f"{SITE}/a, b.py", b"12"), file(f"{SITE}/\udcff.py", b"345"), file(f"{folder}/RECORD", record)]

    assert told(measured(members)) == [("a", "1", 5, 0)]


@pytest.mark.parametrize("metadata", ["", "no fields\n", "\n\nName: of the text\nVersion: 9\n"])
def test_without_fields(measured, metadata):
    """Where METADATA says nothing, the folder's name does; its text is not asked."""
    (one,) = measured(installed("of-folder", "1.0", {}, metadata=metadata)).distributions

    assert (one.name, one.version, one.key) == ("of_folder", "1.0", "of-folder")


def test_largest_first(measured):
    """The largest is first, with its bytecode, and files know their own distribution."""
    small, large = installed("a", "1", {"a.py": b"1"}), installed("b", "1", {"b.py": b"2"})
    done = measured([*small, *large, file(f"{SITE}/__pycache__/b.cpython-312.pyc", b"3" * 50)])

    assert [each.name for each in done.distributions] == ["b", "a"]
    assert {each.owner for each in done.files if "b" in each.path.rpartition("/")[2]} >= {0}
    for number, each in enumerate(done.distributions):
        assert sum(file.size for file in done.files if file.owner == number) == each.bytes


def test_keeps():
    """Only the records of distributions are kept while an image is read."""
    assert keeps(f"/{SITE}/a-1.dist-info/RECORD", 1, b"")
    assert keeps(f"/{SITE}/a-1.dist-info/METADATA", 1, b"")
    assert not keeps(f"/{SITE}/a-1.dist-info/WHEEL", 1, b"")
