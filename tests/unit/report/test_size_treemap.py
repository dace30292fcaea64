"""The treemap in a terminal."""

from __future__ import annotations

from itertools import pairwise

import pytest

from dockyard.report.console import Console
from dockyard.report.size_treemap import HEIGHT, SHADES, drawn, treemap
from dockyard.size.treemap import Tile, tiles
from support import terminal
from unit.report.sizes import measured

MANY = tuple(Tile(name=f"/usr/lib/{number}", bytes=10_000 // number, family="base") for number in range(1, 40))


def shades(line):
    """The colour of each letter of a line."""
    return [span.style.bgcolor.name for span in line.spans for _ in range(span.start, span.end)]


@pytest.mark.parametrize("columns", [20, 80, 160])
def test_every_cell_has_a_tile(columns):
    """The picture fills its rectangle: no cell is left out, none is beside it."""
    lines = drawn(MANY, columns, HEIGHT)

    assert [len(line.plain) for line in lines] == [columns] * HEIGHT
    assert all(len(shades(line)) == columns for line in lines)


def test_areas():
    """A tile has as many cells as its bytes are worth, to a row and a column."""
    big, small = Tile(name="big", bytes=750, family="base"), Tile(name="small", bytes=250, family="files")
    cells = [shade for line in drawn((big, small), 80, HEIGHT) for shade in shades(line)]

    assert sum(shade in SHADES["base"] for shade in cells) == pytest.approx(1200, abs=20)
    assert sum(shade in SHADES["files"] for shade in cells) == pytest.approx(400, abs=20)


def test_neighbours_differ():
    """Tiles that touch have different shades, so that their edge is seen."""
    tiny = tuple(Tile(name=f"{number}", bytes=10, family="files") for number in range(4))
    lines = [shades(line) for line in drawn(tiny, 40, HEIGHT)]
    runs = {sum(one != other for one, other in pairwise(line)) for line in lines}

    assert runs == {1}
    assert len({tuple(line) for line in lines}) == 2


def test_labels():
    """A name and its size stand in its tile where they fit; a long path keeps its end, a long name its begin."""
    text = "\n".join(line.plain for line in drawn(tiles(measured(), least=0), 80, HEIGHT))

    assert "/usr/lib" in text
    assert "400.0 kB" in text
    assert "numpy 2.5.5" in text
    assert "…" in "".join(line.plain for line in drawn(MANY, 80, HEIGHT))


def test_labels_stay_within():
    """No letter of a name stands on another tile."""
    lines = drawn(
        (Tile(name="a" * 90, bytes=500, family="base"), Tile(name="b" * 90, bytes=500, family="files")), 60, 20
    )
    for line in lines:
        for letter, shade in zip(line.plain, shades(line), strict=True):
            assert letter not in "ab" or shade in SHADES["base" if letter == "a" else "files"]


def test_colours_on_a_terminal(monkeypatch):
    """A terminal gets colours and what they mean."""
    with terminal(monkeypatch, "stdout") as said:
        treemap(Console(), measured())

    assert b"\x1b[" in said
    assert b"distributions 320.3 kB" in said


def test_no_colours(monkeypatch):
    """A terminal that wants no colours gets the list."""
    monkeypatch.setenv("NO_COLOR", "1")
    with terminal(monkeypatch, "stdout") as said:
        treemap(Console(), measured())

    assert b"48;" not in said
    assert b"distributions  numpy 2.5.5" in said
