"""The treemap as a picture that stands alone: no script, no font, no link; light and dark as its reader has it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from dockyard.report.size_words import NAMES, headline, standing
from dockyard.report.words import clipped, harmless
from dockyard.size.treemap import FAMILIES, Box, laid, tiles
from dockyard.units import amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockyard.size import Measured
    from dockyard.size.treemap import Tile

WIDTH, HEIGHT = 1200, 760
EDGE, TOP, BOTTOM = 16, 70, 44
LEAST = 0.001
# Largest and smallest letters, and how wide one is at most, as a part of its height.
LETTERS, SMALLEST, WIDE = 15.0, 8.0, 0.62
PADDING = 5.0
# A name is worth writing from so many letters on.
FEWEST = 4
STYLE = """
text { font-family: system-ui, "Segoe UI", "DejaVu Sans", "Noto Sans", sans-serif; }
.page { fill: #ffffff; } .title, .note { fill: #1b1f24; } .note { opacity: .75; }
.tile { stroke: #ffffff; stroke-width: 1.5; }
.base { fill: #c3d0e2; } .distributions { fill: #f6cf95; } .files { fill: #a9dcc0; }
.name { fill: #14181d; } .size { fill: #14181d; opacity: .75; }
@media (prefers-color-scheme: dark) {
.page { fill: #14181d; } .title, .note { fill: #eceff3; }
.tile { stroke: #14181d; }
.base { fill: #3b4a5e; } .distributions { fill: #7d4a12; } .files { fill: #1f6245; }
.name, .size { fill: #f4f6f8; }
}
"""


def svg(measured: Measured) -> str:
    """Return the picture."""
    shown = tiles(measured, least=LEAST)
    area = Box(EDGE, TOP, WIDTH - 2 * EDGE, HEIGHT - TOP - BOTTOM)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{_safe(headline(measured))}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="title" x="{EDGE}" y="32" font-size="20" font-weight="600">{_safe(headline(measured))}</text>',
        f'<text class="note" x="{EDGE}" y="54" font-size="14">{_safe(standing(measured))}</text>',
    ]
    for tile, box in laid(shown, area):
        lines += _tile(tile, box, measured.total)
    lines += _legend(shown)
    return "\n".join([*lines, "</svg>", ""])


def _safe(text: str) -> str:
    return escape(harmless(text))


def _tile(tile: Tile, box: Box, total: int) -> Iterator[str]:
    """Yield one area; what it is and how large can be read by pointing at it, however small it is."""
    told = f"{tile.name}: {amount(tile.bytes)}, {tile.bytes / total:.1%} ({NAMES[tile.family]})"
    yield f"<g><title>{_safe(told)}</title>"
    yield (
        f'<rect class="tile {tile.family}" x="{box.left:.2f}" y="{box.top:.2f}" '
        f'width="{box.width:.2f}" height="{box.height:.2f}"/>'
    )
    yield from _label(tile, box)
    yield "</g>"


def _label(tile: Tile, box: Box) -> Iterator[str]:
    """Yield the name, and the size below it, in letters that fit; nothing where none that can be read do."""
    name, size = harmless(tile.name), amount(tile.bytes)
    room = box.width - 2 * PADDING
    letters = min(LETTERS, max(SMALLEST, room / (len(name) * WIDE)), (box.height - 2 * PADDING) / 1.2)
    # A little more, so that what was made to fit does.
    most = int(room / (letters * WIDE) + 1e-6) if letters >= SMALLEST else 0
    if most < min(FEWEST, len(name)):
        return
    left, line = box.left + PADDING, box.top + PADDING + letters
    below = line + letters * 1.25
    if below + PADDING <= box.top + box.height and len(size) <= most:
        yield _text("size", left, below, letters * 0.9, size)
    elif len(f"{name}  {size}") <= most:
        name = f"{name}  {size}"
    told = name if len(name) <= most or not name.startswith("/") else f"…{name[1 - most :]}"
    yield _text("name", left, line, letters, clipped(told, most))


def _text(kind: str, left: float, line: float, letters: float, text: str) -> str:
    return f'<text class="{kind}" x="{left:.2f}" y="{line:.2f}" font-size="{letters:.1f}">{escape(text)}</text>'


def _legend(shown: Sequence[Tile]) -> Iterator[str]:
    """Yield what the colours mean."""
    left, line = float(EDGE), HEIGHT - 18
    for family in FAMILIES:
        size = sum(each.bytes for each in shown if each.family == family)
        if size:
            told = f"{NAMES[family]} {amount(size)}"
            yield f'<rect class="{family}" x="{left:.0f}" y="{line - 13}" width="16" height="16" rx="3"/>'
            yield _text("note", left + 23, line, 14, told)
            left += 50 + len(told) * 14 * WIDE
