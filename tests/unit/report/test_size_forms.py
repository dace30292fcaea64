"""An image's size for programs and for a job's summary."""

from __future__ import annotations

import json

import pytest

from dockyard.report.console import Console
from dockyard.report.size import reading, show
from dockyard.report.size_table import Detail
from dockyard.size import Sized
from images import file
from support import terminal
from unit.report.sizes import measured, sized


@pytest.fixture
def printed(capsys):
    """What is printed in a format."""

    def print_it(form, told=None):
        show(Console(), told or sized(), form, Detail())
        return capsys.readouterr().out

    return print_it


def test_json(printed):
    """JSON has every figure in bytes, and they add up."""
    told = json.loads(printed("json"))

    assert told["version"] == 1
    assert told["total"] == sized().measured.total == sum(each["bytes"] for each in told["folders"])
    assert sum(each["bytes"] for each in told["kinds"]) == told["total"]
    assert sum(each["bytes"] for each in told["layers"]) - told["hidden"] == told["total"]
    assert told["over_base"] == sum(each["bytes"] for each in told["layers"] if not each["base"])
    assert told["distributions"][0]["name"] == "numpy"
    assert told["wasted"]["total"] == 59_000
    assert told["wasted"]["hidden"][0] == {
        "path": "/usr/bin/sh", "size": 50_000, "layer": 0, "by": 2, "how": "deleted", "same": False
    }  # fmt: skip
    assert told["comparison"]["delta"] == sum(each["delta"] for each in told["comparison"]["changes"])
    assert told["comparison"]["shared"] == [0]
    assert told["breaches"][0]["key"] == "size.total"


def test_json_of_hostile_names(printed):
    """Bytes that are no UTF-8 are written as numbers, so that every program can read it."""
    told = json.loads(printed("json", Sized(measured=measured([file("a\udcff", b"1"), file("b", b"1")]))))

    assert "\\xff" in told["wasted"]["duplicates"][0]["paths"][0]
    assert (told["comparison"], told["breaches"]) == (None, [])


def test_markdown(printed):
    """Markdown has the headline, what changed, the budgets that are not met, and the tables behind folds."""
    text = printed("markdown")

    assert text.startswith("## Size of api\\:prod\n")
    assert "❌ size.total" in text
    assert "numpy 2.4 → 2.5.5" in text
    assert text.count("<details>") == text.count("</details>") == 5


def test_markdown_is_not_broken_by_names(printed):
    """Names that hold Markdown's own letters stay in their cells."""
    text = printed("markdown", Sized(measured=measured([file("a|b\n`<b>/c", b"1")])))

    assert "<b>" not in text
    assert "a\\|b" in text


def test_svg(printed):
    """SVG is the picture alone."""
    assert printed("svg").startswith("<svg ")


def test_reading(monkeypatch, capsys):
    """A terminal is told what is read while that lasts; a pipe is not."""
    with terminal(monkeypatch, "stdout", "stderr") as said, reading(Console(), "api:prod"):
        pass
    with reading(Console(), "api:prod"):
        pass

    assert b"reading every layer of api:prod" in said
    assert capsys.readouterr() == ("", "")
