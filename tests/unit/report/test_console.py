from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dockyard.errors import EngineError
from dockyard.report.console import STYLES, Console
from dockyard.smoke import Result
from support import terminal

ESCAPE = "\x1b"
COLOUR = r"\x1b\[([0-9]+;)*(3|4|9|10)[0-7]m"
ERROR = EngineError("There is [no] engine: none.", "100% sure,\nreally.", "Run `invoke setup`.")


def say_everything(console: Console) -> None:
    """Use every way to print."""
    console.note("a note", style="yellow")
    console.say("a result")
    console.table(("what", "state"), [("engine", "found"), ("base", "refused")])
    console.verdict("fail", "health", "500")
    console.error(ERROR)


def test_piped(capsys):
    """What is piped has no escape codes; results go to standard output, all else to standard error."""
    say_everything(Console())
    out, err = capsys.readouterr()

    assert ESCAPE not in out + err
    assert [line.split() for line in out.splitlines()] == [
        ["a", "result"],
        ["what", "state"],
        ["engine", "found"],
        ["base", "refused"],
        ["fail", "health", "500"],
    ]
    assert err.splitlines()[0] == "a note"


def test_quiet(capsys):
    """A quiet console says results and errors alone."""
    say_everything(Console(quiet=True))
    out, err = capsys.readouterr()

    assert "a result" in out
    assert "a note" not in err
    assert err.startswith("error: ")


def test_terminal(monkeypatch):
    """On a terminal there are colours, its width is kept, and what runs can be redrawn."""
    with terminal(monkeypatch, "stdout", "stderr") as said:
        say_everything(Console())
        live = [Console().live, Console(quiet=True).live]
        width = Console().err.width

    assert re.search(COLOUR, said.decode())
    assert live == [True, False]
    assert width == 70


def test_half_piped(capsys, monkeypatch):
    """Where results alone are piped, only they are plain and wide."""
    with terminal(monkeypatch, "stderr") as said:
        say_everything(Console())
        Console().table((), [("x" * 70, "y" * 70)])
        live = Console().live
    out = capsys.readouterr().out

    assert live
    assert re.search(COLOUR, said.decode())
    assert ESCAPE not in out
    assert re.search("x{70} +y{70}", out)


def test_no_color(monkeypatch):
    """NO_COLOR is obeyed on a terminal."""
    monkeypatch.setenv("NO_COLOR", "1")
    with terminal(monkeypatch, "stdout", "stderr") as said:
        say_everything(Console())

    assert b"a result" in said
    assert not re.search(COLOUR, said.decode())


def test_dumb_terminal(monkeypatch):
    """A terminal that cannot move its cursor is written to line by line."""
    with terminal(monkeypatch, "stdout", "stderr"):
        monkeypatch.setenv("TERM", "dumb")
        live = Console().live

    assert not live


def test_not_live(capsys):
    """What is piped is not redrawn."""
    assert not Console().live


@pytest.mark.parametrize("text", ["[bold]RUN[/bold] [builder 3/7]", "it is :warning: 12", "x" * 500, "C:\\path\\[red]"])
def test_unchanged(capsys, text):
    """A text is printed as it is: no markup, no emoji, no line break of ours."""
    console = Console()
    console.say(text)
    console.note(text)

    assert capsys.readouterr() == (f"{text}\n", f"{text}\n")


def test_wide_table(capsys):
    """A piped table is not cut at eighty columns, and a cell that is too wide loses nothing."""
    console = Console()
    console.table(("a", "b"), [("x" * 70, "y" * 70)])
    console.table(("a",), [("z" * 500,)])
    out = capsys.readouterr().out

    assert f"{'x' * 70} {' ' * 0}" in out
    assert re.search("x{70} +y{70}", out)
    assert out.count("z") == 500


def test_bare_table(capsys):
    """A table whose columns have no names has no header."""
    Console().table((), [("state", "running")])

    assert capsys.readouterr().out.split() == ["state", "running"]


def test_states_have_styles():
    """Every state that a table may show has its colour."""
    assert {"found", "done", "missing", "refused", "pass", "fail", "not-run", "healthy", "unhealthy"} <= STYLES.keys()


def test_error(capsys):
    """An error is its three lines, on standard error alone."""
    Console().error(EngineError("It broke.", "It was old.", "Buy another."))

    assert capsys.readouterr() == ("", "error: It broke.\nIt was old.\nBuy another.\n")


def test_annotation(capsys, monkeypatch):
    """In GitHub Actions an error becomes an annotation too, escaped, and standard output stays clean."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    Console().error(ERROR)
    out, err = capsys.readouterr()

    assert out == ""
    assert err.splitlines()[-1] == (
        "::error title=There is [no] engine%3A none.::100%25 sure,%0Areally. Run `invoke setup`."
    )


@pytest.mark.parametrize("what", ["a\nb", "a\r\nb", "a%0Ab", "a::b", "a,b=c"])
def test_annotation_title(capsys, monkeypatch, what):
    """No title can end the annotation, or begin another."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    Console().error(EngineError(what, "why", "todo"))
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("::")]
    title = re.fullmatch(r"::error title=([^:,\s]*)::why todo", line)[1]

    for code, sign in (("%0A", "\n"), ("%0D", "\r"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        title = title.replace(code, sign)
    assert title == what


def test_document(capsys):
    """JSON is all that standard output gets, and values that JSON has not are written as they can be."""
    console = Console(quiet=True)
    console.note("on the way")
    console.document([Result(probe="été", verdict="pass", evidence="a\nb"), {"path": Path("/srv")}])
    out, err = capsys.readouterr()

    assert json.loads(out) == [{"probe": "été", "verdict": "pass", "evidence": "a\nb"}, {"path": "/srv"}]
    assert "été" in out
    assert err == ""


def test_lines(capsys):
    """Lines are passed on as they come, whatever they hold."""
    Console().lines(iter(["[red]one[/red]", "", '{"two": 2}']))

    assert capsys.readouterr().out == '[red]one[/red]\n\n{"two": 2}\n'
