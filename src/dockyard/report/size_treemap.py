"""The treemap of an image in a terminal; a list of the same where there are no colours, and when piped."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from rich.console import Console as RichConsole
from rich.style import Style
from rich.text import Text

from dockyard.report.console import PIPED_WIDTH
from dockyard.report.size_words import NAMES
from dockyard.report.words import clipped, harmless
from dockyard.size.treemap import FAMILIES, Box, laid, tiles
from dockyard.units import amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockyard.report.console import Console
    from dockyard.size import Measured
    from dockyard.size.treemap import Family, Tile

# A letter is twice as high as wide.
ASPECT = 2
WIDEST, HEIGHT = 160, 20
# Less than this share of the whole is no area that can be seen.
LEAST = 0.004
# Four shades of each: neighbours differ, whatever their neighbours are.
SHADES: dict[Family, tuple[str, ...]] = {
    "base": ("#3b4a5e", "#4d5f77", "#2d3949", "#5b708c"),
    "distributions": ("#8a4b08", "#a8621b", "#6e3a02", "#bd7a35"),
    "files": ("#1f6f4a", "#2f8a60", "#145238", "#459f76"),
}
LIGHT = "#ffffff"
NUMBER = 9
# A little more, so that what two sums make of the same edge falls on one side.
HALF = 0.5 + 1e-6
# Letters left free in a tile, and fewest that are a name.
MARGIN, FEWEST = 2, 3
# Of cells that no tile has: the last shade, which is none.
NOTHING = -1
Cells = tuple[int, int, int, int]


def width() -> int:
    """How many letters a line of the result has room for."""
    screen = RichConsole()
    return screen.width if screen.is_terminal else PIPED_WIDTH


def treemap(console: Console, measured: Measured) -> None:
    """Print the treemap, or a list of the same."""
    screen = RichConsole(highlight=False, emoji=False)
    shown = tiles(measured, least=LEAST)
    if not shown:
        return
    if screen.no_color or screen.color_system is None or not screen.is_terminal:
        rows = [(f"{amount(each.bytes):>{NUMBER}}", NAMES[each.family], harmless(each.name)) for each in shown]
        console.table((f"{'bytes':>{NUMBER}}", "what", "name"), rows)
        return
    columns = min(screen.width, WIDEST)
    for line in drawn(shown, columns, HEIGHT):
        screen.print(line, no_wrap=True, overflow="crop")
    screen.print(_legend(shown))


def drawn(shown: Sequence[Tile], columns: int, rows: int) -> list[Text]:
    """Return the lines of the picture: each tile a block of its shade, with its name and size where they fit."""
    placed = [(tile, _cells(box)) for tile, box in laid(shown, Box(0, 0, columns, rows * ASPECT))]
    shown_there = [tile for tile, _ in placed]
    grid = [[NOTHING] * columns for _ in range(rows)]
    for number, (_, (left, top, right, bottom)) in enumerate(placed):
        for row in range(top, bottom):
            grid[row][left:right] = [number] * (right - left)
    shades = [*_shades(shown_there, grid), ""]
    letters = [[" "] * columns for _ in range(rows)]
    for tile, cells in placed:
        _write(letters, tile, cells)
    return [_line(letters[row], [shades[number] for number in grid[row]]) for row in range(rows)]


def _cells(box: Box) -> Cells:
    """Return the letters that a box takes; boxes that touch have the same edge, whatever was rounded on the way."""
    edges = (box.left, box.top / ASPECT, box.left + box.width, (box.top + box.height) / ASPECT)
    left, top, right, bottom = (int(each + HALF) for each in edges)
    return left, top, right, bottom


def _shades(shown: Sequence[Tile], grid: Sequence[Sequence[int]]) -> list[str]:
    """Return each tile's shade: the first of its family that no neighbour has."""
    touching: list[set[int]] = [set() for _ in shown]
    beside = [pair for row in grid for pair in itertools.pairwise(row)]
    below = [pair for upper, lower in itertools.pairwise(grid) for pair in zip(upper, lower, strict=True)]
    for one, other in [*beside, *below]:
        if one != other and NOTHING not in {one, other}:
            touching[one].add(other)
            touching[other].add(one)
    shades: list[str] = []
    for number, tile in enumerate(shown):
        taken = {shades[each] for each in touching[number] if each < number}
        own = SHADES[tile.family]
        shades.append(next((each for each in own if each not in taken), own[number % len(own)]))
    return shades


def _write(letters: list[list[str]], tile: Tile, cells: Cells) -> None:
    """Write a tile's name and, below it, its size; or both on one line; or what of the name fits."""
    left, top, right, bottom = cells
    room = right - left - MARGIN
    if bottom <= top or room < FEWEST:
        return
    name, size = harmless(tile.name), amount(tile.bytes)
    if bottom - top > 1:
        lines = [_fitting(name, room), size if len(size) <= room else ""]
    else:
        both = f"{name} {size}"
        lines = [both if len(both) <= room else _fitting(name, room)]
    for row, line in enumerate(lines, top):
        for column, letter in enumerate(line, left + 1):
            letters[row][column] = letter


def _fitting(name: str, room: int) -> str:
    """Return a name, or the end of a path, which says more than its begin."""
    if len(name) <= room or not name.startswith("/"):
        return clipped(name, room)
    return f"…{name[1 - room :]}"


def _line(letters: Sequence[str], shades: Sequence[str]) -> Text:
    """Return one line of the picture."""
    line = Text()
    for shade, cells in itertools.groupby(zip(letters, shades, strict=True), key=lambda each: each[1]):
        line.append("".join(letter for letter, _ in cells), Style(color=LIGHT, bgcolor=shade or None))
    return line


def _legend(shown: Sequence[Tile]) -> Text:
    """Return what the colours mean, and how much of each there is."""
    legend = Text()
    for family in FAMILIES:
        size = sum(each.bytes for each in shown if each.family == family)
        if size:
            legend.append("  " if legend else "")
            legend.append("██", Style(color=SHADES[family][0]))
            legend.append(f" {NAMES[family]} {amount(size)}")
    return legend
