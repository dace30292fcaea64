"""What is sent and serves nobody."""

from __future__ import annotations

import pytest

from images import file, folder, hardlink, opaque, symlink, whiteout

DATA = b"x" * 100


def hidden(done):
    return [(each.path, each.size, each.layer, each.by, each.how, each.same) for each in done.waste.hidden]


@pytest.mark.parametrize(
    ("above", "how", "same"),
    [
        ([file("a/b", b"other")], "overwritten", False),
        ([file("a/b", DATA, mode=0o755)], "overwritten", True),
        ([symlink("a/b", "c")], "overwritten", False),
        ([whiteout("a/b")], "deleted", False),
        ([whiteout("a")], "deleted", False),
        ([opaque("a")], "deleted", False),
        ([file("a", b"")], "deleted", False),
    ],
)
def test_hidden(measured, above, how, same):
    """Bytes that a later layer hides are told with both layers, and whether only the rights changed."""
    done = measured([file("a/b", DATA)], [file("c", b"1")], above)

    assert hidden(done) == [("/a/b", 100, 0, 2, how, same)]
    assert (done.waste.of(how), done.waste.total, done.layers[0].hidden) == (100, 100, 100)


def test_hidden_twice(measured):
    """Each layer's bytes of a file are told, by the layer that hid them first."""
    done = measured([file("a", DATA)], [file("a", b"y" * 50)], [whiteout("a")])

    assert hidden(done) == [("/a", 100, 0, 1, "overwritten", False), ("/a", 50, 1, 2, "deleted", False)]


def test_acts(measured):
    """What one layer hides of another is told together, the largest first; rights that changed are apart."""
    below = [file("a", DATA), file("b", DATA), file("c", b"1"), file("d", b"2")]
    above = [file("c", b"1", mode=0o600), file("d", b"3")]
    done = measured(below, [whiteout("a"), whiteout("b")], above)
    told = [(each.layer, each.by, each.how, each.same, each.bytes, len(each.files)) for each in done.waste.acts]

    assert sorted(told[1:]) == [(0, 2, "overwritten", False, 1, 1), (0, 2, "overwritten", True, 1, 1)]
    assert told[0] == (0, 1, "deleted", False, 200, 2)


def test_nothing_is_wasted(measured):
    """Folders that a layer names again, and empty files, waste nothing."""
    done = measured([folder("a"), file("a/b", DATA), file("e")], [folder("a"), file("e"), file("f")])

    assert (done.waste.hidden, done.waste.duplicates, done.waste.total) == ((), (), 0)


def test_duplicates(measured):
    """Equal files cost all but one of them; hard links of one file do not count."""
    done = measured([file("b", DATA), hardlink("c", "b")], [file("a", DATA), file("d", DATA)])
    (copies,) = done.waste.duplicates

    assert (copies.paths, copies.layers, copies.size) == (("/b", "/a", "/d"), (0, 1, 1), 100)
    assert copies.wasted == done.waste.duplicated == done.waste.total == 200


def test_hidden_copies_are_no_duplicates(measured):
    """What is hidden is not counted a second time as a copy."""
    done = measured([file("a", DATA)], [file("a", DATA), file("b", b"y")])

    assert (done.waste.duplicated, done.waste.total) == (0, 100)


def test_largest_first(measured):
    """What wastes most comes first."""
    done = measured(
        [file("a", b"1"), file("b", b"2" * 9), file("c", b"2" * 9), file("d", DATA)], [whiteout("a"), whiteout("d")]
    )

    assert [each.size for each in done.waste.hidden] == [100, 1]
