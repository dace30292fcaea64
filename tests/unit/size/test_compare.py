"""What changed between two images."""

from __future__ import annotations

import pytest

from dockyard.size import compare
from images import file
from unit.size.installed import cost, installed

BASE = [file("usr/lib/libc.so", b"c" * 400)]


def package(name, version, size, **changed):
    return installed(name, version, {f"{name}.so": name.encode() * size}, **changed)


@pytest.fixture
def done(measured):
    before = measured(BASE, [*package("scipy", "1.15", 10), *package("pandas", "2", 10), *package("same", "1", 3)])
    after = [*package("scipy", "1.16", 30), *package("onnx", "1.2", 50), *package("same", "1", 3), file("app/a", b"1")]
    return compare(before, measured(BASE, after))


def test_deltas_add_up(done):
    """The changes are the whole difference."""
    assert sum(each.delta for each in done.changes) == done.delta == done.after - done.before != 0


def test_distributions(done):
    """A new version, a new distribution and one that went are told with their bytes; what is the same is not."""
    told = {
        each.name: (each.kind, each.before is None, each.after is None, each.old, each.new) for each in done.changes
    }

    assert told == {
        "scipy": ("distribution", False, False, "1.15", "1.16"),
        "pandas": ("distribution", False, True, "2", ""),
        "onnx": ("distribution", True, False, "", "1.2"),
        "/app": ("folder", True, False, "", ""),
    }
    assert next(each for each in done.changes if each.name == "onnx").after == cost(package("onnx", "1.2", 50))


def test_largest_first(done):
    """The largest change is first, whichever way it goes."""
    sizes = [abs(each.delta) for each in done.changes]
    assert sizes == sorted(sizes, reverse=True)


def test_shared_layers(done, measured):
    """Layers that both have are told, and are not pulled again."""
    assert [each.index for each in done.shared] == [0]
    other = measured(BASE, [file("b", b"2")])
    assert compare(measured([file("a", b"1")]), other).shared == ()
    assert compare(other, other).download == 0
    assert compare(measured(BASE), other).download == other.layers[1].compressed


def test_same_image(measured):
    """An image does not differ from itself."""
    one = measured(BASE, package("a", "1", 3))
    done = compare(one, one)

    assert (done.delta, done.changes, len(done.shared)) == (0, (), 2)


def test_another_python(measured):
    """A distribution that moved with its interpreter is the same one; its name is compared as indexes do."""
    old = installed("Ruamel.yaml", "1", {"a": b"1"}, site="usr/lib/python3.12/site-packages")
    new = installed("ruamel-yaml", "1", {"a": b"1"}, site="usr/lib/python3.13/site-packages")

    assert [each.name for each in compare(measured(old), measured(new)).changes if each.delta] == []


def test_installed_twice(measured):
    """What is installed twice is compared as one, with both versions."""
    both = [*package("a", "1", 3, site="x/site-packages"), *package("a", "2", 3, site="y/site-packages")]
    (change,) = compare(measured(BASE), measured(BASE, both)).changes

    assert (change.name, change.new, change.after) == ("a", "1, 2", cost(both))


def test_new_version_of_the_same_size(measured):
    """A new version is told even where it costs the same."""
    done = compare(measured(package("a", "1", 3)), measured(package("a", "2", 3)))

    assert [(each.old, each.new, each.delta) for each in done.changes] == [("1", "2", 0)]
