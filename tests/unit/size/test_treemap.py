"""Areas as large as the bytes."""

from __future__ import annotations

import itertools

import pytest

from dockyard.size.treemap import Box, laid, squarify, tiles
from images import file
from unit.size.installed import cost, installed

PAGE = Box(10, 20, 600, 400)
WEIGHTS = [600, 600, 400, 300, 200, 200, 100]
PACKAGES = installed("numpy", "2", {"numpy.so": b"n" * 3000})


def overlap(one: Box, other: Box) -> float:
    across = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    down = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    return max(across, 0) * max(down, 0)


@pytest.mark.parametrize("weights", [WEIGHTS, [1], [5, 5], [1000, *[1] * 50], [1e9, 1, 1e-3]])
def test_areas(weights):
    """Each area has its share of the page, none leaves it, and no two overlap."""
    boxes = squarify(weights, PAGE)

    for weight, box in zip(weights, boxes, strict=True):
        assert box.width * box.height == pytest.approx(240_000 * weight / sum(weights), rel=1e-6)
        assert box.left >= 10 - 1e-6
        assert box.top >= 20 - 1e-6
        assert box.left + box.width <= 610 + 1e-6
        assert box.top + box.height <= 420 + 1e-6
    assert all(overlap(one, other) < 1e-3 for one, other in itertools.combinations(boxes, 2))


def test_squares():
    """The example of the paper has the shapes of the paper: none is more than three times as long as wide."""
    boxes = squarify([6, 6, 4, 3, 2, 2, 1], Box(0, 0, 6, 4))

    assert (boxes[0].width, boxes[0].height) == pytest.approx((3, 2))
    assert max(max(box.width / box.height, box.height / box.width) for box in boxes) < 3


@pytest.fixture
def done(measured):
    base = [
        file("usr/lib/a/b/c", b"c" * 5000),
        *installed("pip", "1", {"pip": b"p" * 900}, site="usr/lib/site-packages"),
    ]
    return measured(
        base, [*PACKAGES, file("app/x/y/z/a", b"1" * 700), file("app/x/y/b", b"2" * 80), file("c", b"3")], base=1
    )


def test_tiles_add_up(done):
    """The tiles are the whole image, whatever is put together."""
    for least in (0, 0.01, 0.5, 2):
        assert sum(each.bytes for each in tiles(done, least=least)) == done.total


def test_tiles(done):
    """Base, distributions on top and other files are told apart; the base's own distributions are of the base."""
    shown = {(each.family, each.name): each.bytes for each in tiles(done, least=0)}

    assert shown["distributions", "numpy 2"] == cost(PACKAGES)
    assert shown["files", "/app/x/y"] == 780
    assert shown["base", "/usr/lib/a"] == 5000
    assert ("base", "pip 1") in shown


def test_small_ones_together(done):
    """What is too small to be seen is put together, and one alone keeps its name."""
    shown = {each.name: each.bytes for each in tiles(done, least=0.1)}

    assert shown["2 more"] == 781
    assert "pip 1" in {each.name for each in tiles(done, least=0.2)} | {each.name for each in tiles(done, least=0.1)}


def test_families_are_together(done):
    """Each family fills one rectangle."""
    placed = laid(tiles(done, least=0), PAGE)
    for family in {tile.family for tile, _ in placed}:
        own = [box for tile, box in placed if tile.family == family]
        left, top = min(box.left for box in own), min(box.top for box in own)
        width = max(box.left + box.width for box in own) - left
        height = max(box.top + box.height for box in own) - top
        assert width * height == pytest.approx(sum(box.width * box.height for box in own))
