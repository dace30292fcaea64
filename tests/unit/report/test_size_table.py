"""An image's size for people."""

from __future__ import annotations

import pytest

from dockyard.report.console import Console
from dockyard.report.size_table import Detail, show
from dockyard.size import Sized
from images import file, folder
from support import terminal
from unit.report.sizes import measured, sized


@pytest.fixture
def printed(capsys):
    """What a pipe gets, its blanks made one."""

    def print_it(told=None, **detail):
        show(Console(), told or sized(), Detail(**detail))
        return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    return print_it


def test_headline(printed):
    """The first lines say what the image is, how the layers make that, and what is wasted."""
    lines = printed()

    assert lines[0].startswith("api:prod: 738.3 kB in 9 files; ")
    assert lines[1].startswith("base 450.0 kB, over base 338.3 kB, hidden by later layers -50.0 kB; ")
    assert lines[1].endswith("to pull where base:1 is there")
    assert lines[2] == "wasted: 59.0 kB (50.0 kB deleted later, 9.0 kB there more than once)"


def test_layers(printed):
    """Each layer has its bytes, what of them is hidden, where it is from and its instruction."""
    lines = printed()

    assert any(line.startswith("0 450.0 kB 50.0 kB ") and line.endswith(" base RUN step 0") for line in lines)
    assert any(line.startswith("2 18.0 kB ") and line.endswith(" Dockerfile:4 RUN step 2") for line in lines)


def test_piped_list(printed):
    """A pipe gets the treemap as a list."""
    lines = printed()

    assert "400.0 kB base /usr/lib" in lines
    assert "300.2 kB distributions numpy 2.5.5" in lines
    assert "18.0 kB other files /app" in lines


def test_tables(printed):
    """Distributions, folders, kinds and waste are told with their bytes."""
    lines = printed()

    assert "300.2 kB layer 1 numpy 2.5.5" in lines
    assert "400.0 kB █████ 54% /usr/lib" in lines
    assert "700.0 kB █████████ 95% native libraries" in lines
    assert "50.0 kB layer 0 by 2 deleted /usr/bin/sh" in lines
    assert "9.0 kB layer 2 2 copies /app/copy.py, /app/main.py" in lines


def test_comparison(printed):
    """What changed comes last: a table, one line, and what is shared."""
    lines = printed()

    assert "+100.0 kB numpy 2.4 → 2.5.5" in lines
    assert "-50.0 kB /usr/bin gone" in lines
    assert lines[-2].startswith("+88.2 kB since api:older: numpy 2.4 → 2.5.5 (+100.0 kB), /usr/bin gone (-50.0 kB), ")
    assert lines[-1].startswith("shared: layer 0 (450.0 kB); ")


def test_top(printed):
    """Each table has so many rows, and a row for the rest, so that nothing is left out unsaid."""
    lines = printed(top=1)

    assert "20.2 kB 1 more" in lines
    assert sum("more" in line for line in lines) >= 3


def test_uncompressed(printed):
    """Where the archive is not compressed, no pull is made up."""
    lines = printed(Sized(measured=measured(compression="none")))

    assert lines[0].endswith("what a pull costs is not known: layers 0-2 are stored uncompressed")
    assert not any("to pull where" in line for line in lines)


@pytest.mark.parametrize("layers", [([folder("a")],), ([file("a", b"")],)])
def test_empty(printed, layers):
    """An image without a byte has a report too."""
    assert printed(Sized(measured=measured(*layers)))[0].startswith("api:prod: 0 B in ")


def test_problems(printed):
    """What of the image could not be read is said."""
    assert any("leads out of the image" in line for line in printed(Sized(measured=measured([file("../a", b"1")]))))


def test_hostile_names(printed):
    """Names that would move a cursor are shown as numbers."""
    lines = printed(Sized(measured=measured([file("a\x1b[2J/b", b"1" * 99)], name="x\x1b[2J")))

    assert not any("\x1b" in line for line in lines)
    assert any("\\x1b" in line for line in lines)


@pytest.mark.parametrize("columns", [80, 160])
def test_no_line_is_wider(monkeypatch, columns):
    """On a terminal the tables and the picture stay within its width."""
    with terminal(monkeypatch, "stdout") as said:
        monkeypatch.setenv("COLUMNS", str(columns))
        show(Console(), Sized(measured=measured(history=[{"created_by": "RUN " + "x" * 300}] * 3)), Detail())
    lines = said.decode().split("kind of file")[0].splitlines()
    table = [line for line in lines if "RUN xxx" in line]

    assert len(table) == 3
    assert all(len(line.rstrip()) <= columns for line in table)
