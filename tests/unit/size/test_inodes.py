"""Bytes are counted once, whatever the names they go by."""

from __future__ import annotations

import pytest

from images import file, hardlink, symlink, whiteout

DATA = b"x" * 100


def test_hard_links_are_one_file(measured):
    """Names that are links of each other are one file; symbolic links and folders have no bytes."""
    done = measured([file("a", DATA), hardlink("b", "a"), hardlink("c", "b"), symlink("d", "a")])

    assert (done.total, len(done.files), done.layers[0].bytes, done.layers[0].files) == (100, 1, 100, 1)
    assert done.files[0].path == "/a"


def test_known_by_its_first_name(measured):
    """A file is called what its layer called it first, whatever comes first in the alphabet."""
    assert [each.path for each in measured([file("b", DATA), hardlink("a", "b")]).files] == ["/b"]


def test_first_name_removed(measured):
    """A file whose first name is deleted later is still seen by its second, and nothing of it is wasted."""
    done = measured([file("a", DATA), hardlink("b", "a")], [whiteout("a")])

    assert (done.total, [each.path for each in done.files], done.waste.total) == (100, ["/b"], 0)


@pytest.mark.parametrize(
    ("above", "total"),
    [([], 100), ([whiteout("a")], 100), ([file("a", b"y")], 101), ([whiteout("a"), whiteout("b")], 0)],
)
def test_link_to_a_lower_layer(measured, above, total):
    """A link to a file of a layer below is that file, and keeps it seen where its own name is gone."""
    done = measured([file("a", DATA)], [hardlink("b", "a")], above)

    assert done.total == total
    assert [each.bytes for each in done.layers] == [100, 0, sum(len(each.data) for each in above)]
    assert done.layers[0].hidden == (0 if total else 100)
    assert [each.files for each in done.layers[:2]] == [1, 0]


def test_link_to_a_link_of_a_lower_layer(measured):
    """A link to what is itself a link below is the same file still."""
    done = measured([file("a", DATA), hardlink("b", "a")], [hardlink("c", "b")])

    assert (done.total, done.layers[1].bytes, done.waste.total) == (100, 0, 0)


def test_link_to_a_name_that_was_taken(measured):
    """A link to what had another file's name before that took it is still the old file."""
    done = measured([file("a", DATA)], [hardlink("b", "a")], [file("a", b"new")], [hardlink("c", "b")], [whiteout("b")])

    assert (done.total, done.waste.total) == (103, 0)
    assert [each.bytes for each in done.layers] == [100, 0, 3, 0, 0]


def test_name_linked_to_its_own_link(measured):
    """A name that a layer gives twice, the second time as a link to its own link, ends no search in a circle."""
    done = measured([file("a", DATA), hardlink("b", "a"), hardlink("a", "b")])

    assert (done.total, len(done.files)) == (100, 1)
