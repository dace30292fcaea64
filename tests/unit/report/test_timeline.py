"""The waterfall of a build, in a terminal and as a picture."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from dockyard.errors import SettingsError
from dockyard.explain import Span
from dockyard.report.console import Console
from dockyard.report.timeline import show, svg, target

SPANS = (
    Span(label="a 1/3", text="RUN one", begin=0, seconds=2, critical=True),
    Span(label="b 1/1", text="RUN <two> & \x1b[31m", begin=0, seconds=1, critical=False),
    Span(label="a 2/3", text="RUN three", begin=2, seconds=2, critical=True),
)


def test_bars(capsys):
    """Each bar begins when its step did, is as long as it ran, and says whether it was waited for."""
    show(Console(), SPANS)
    first, second, third, told = capsys.readouterr().out.splitlines()[1:]

    assert first.rstrip().endswith(" " + "#" * 20)
    assert second.rstrip().endswith(" " + "=" * 10)
    assert third.rstrip().endswith("2.0      " + " " * 20 + "#" * 20)
    assert told == "3 steps ran: 5.0 s of work in 4.0 s. Those marked # were waited for: 4.0 s."


def test_nothing(capsys):
    """Of a build in which everything was cached there is nothing to show."""
    show(Console(), ())
    assert capsys.readouterr().out == "No step ran: everything was cached.\n"
    ET.fromstring(svg((), "one"))


def test_svg():
    """The picture is one whole document with a bar for each step, whatever an instruction holds."""
    root = ET.fromstring(svg(SPANS, "shop:prod & co"))
    bars = [each for each in root if each.tag.endswith("rect")]

    assert [each.get("class") for each in bars] == ["c", "o", "c"]
    assert float(bars[0].get("width")) == 2 * float(bars[1].get("width"))
    assert float(bars[2].get("x")) == float(bars[0].get("x")) + float(bars[0].get("width"))


@pytest.mark.parametrize("name", ["a.png", "nowhere/a.svg"])
def test_target(name):
    """A picture that cannot be written is refused first."""
    with pytest.raises(SettingsError, match="not possible"):
        target(Path(name))
