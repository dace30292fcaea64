"""The treemap as a picture."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from dockyard.report.size_svg import HEIGHT, STYLE, WIDE, WIDTH, svg
from images import file, folder
from unit.report.sizes import measured

SPACE = "{http://www.w3.org/2000/svg}"


def parsed(*layers, **changed):
    return ElementTree.fromstring(svg(measured(*layers, **changed)))


def tiles_of(root):
    """Each tile's title, its rectangle and its texts."""
    for group in root.iter(f"{SPACE}g"):
        title, rectangle, *texts = group
        yield title.text, {key: float(value) for key, value in rectangle.attrib.items() if key != "class"}, texts


def test_stands_alone():
    """It needs nothing from elsewhere: no script, no style sheet, no font, no link."""
    text = svg(measured())

    assert re.findall(r"(?:href|src|url|@import|<script|<image)", text) == []
    assert set(re.findall(r"https?://[^\"]+", text)) == {"http://www.w3.org/2000/svg"}


def test_areas():
    """Each tile's area is its share of the bytes."""
    told = list(tiles_of(parsed()))
    areas = {title.partition(":")[0]: at["width"] * at["height"] for title, at, _ in told}

    assert areas["/usr/lib"] / sum(areas.values()) == pytest.approx(400_000 / measured().total, rel=1e-2)


def test_within_the_page():
    """No tile leaves the page."""
    for _, at, _ in tiles_of(parsed()):
        assert 0 <= at["x"] <= at["x"] + at["width"] <= WIDTH
        assert 0 <= at["y"] <= at["y"] + at["height"] <= HEIGHT


def test_labels_fit():
    """A text stands within its tile: neither wider nor lower, and in letters that can be read."""
    many = [file(f"usr/lib/some-longer-name-{number}/file", b"x" * (90_000 // number)) for number in range(1, 60)]
    texts = 0
    for _, at, told in tiles_of(parsed(many)):
        for text in told:
            letters = float(text.get("font-size"))
            texts += 1
            assert letters >= 7
            assert float(text.get("x")) + len(text.text) * letters * WIDE <= at["x"] + at["width"]
            assert float(text.get("y")) <= at["y"] + at["height"]
    assert texts > 20


def test_small_tiles_can_be_pointed_at():
    """A tile that is too small for a text has its title, with bytes and share."""
    titles = [title for title, _, _ in tiles_of(parsed())]

    assert "numpy 2.5.5: 300.2 kB, 40.7% (distributions)" in titles


def test_light_and_dark():
    """Each colour is given for both."""
    light, _, dark = STYLE.partition("@media (prefers-color-scheme: dark)")
    for name in (".page", ".tile", ".base", ".distributions", ".files", ".name"):
        assert name in light
        assert name in dark


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("at", [0, 1], ids=["light", "dark"])
def test_contrast(at):
    """Names have the contrast that WCAG AA asks for, on each colour."""
    style = STYLE.split("@media")[at]
    fills = dict(re.findall(r"\.(\w+)(?:, \.\w+)? { fill: (#\w{6})", style))
    for family in ("base", "distributions", "files"):
        bright, dim = sorted((luminance(fills["name"]), luminance(fills[family])), reverse=True)
        assert (bright + 0.05) / (dim + 0.05) > 4.5


def test_hostile_names():
    """Names that hold markup or controls make no markup."""
    root = parsed([file("<script>&\x1b\udcff/b", b"1" * 99)], name="</title><x>")

    assert list(root.iter("x")) == list(root.iter(f"{SPACE}script")) == []
    assert any(title.startswith("/<script>&\\x1b\\xff") for title, _, _ in tiles_of(root))


def test_empty():
    """An image without a byte is a page without tiles."""
    assert list(tiles_of(parsed([folder("a")]))) == []
