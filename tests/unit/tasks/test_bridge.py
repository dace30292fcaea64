from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from invoke.collection import Collection
from invoke.exceptions import Exit
from invoke.tasks import task

from dockyard import errors
from dockyard.errors import DockyardError, SettingsError
from dockyard.tasks.bridge import as_json, choice, command, whole_number
from support import sentences

KINDS = [kind for kind in DockyardError.__subclasses__() if kind.__module__ == errors.__name__]


def raising(error: BaseException) -> Collection:
    """Return a task `break` that raises."""

    @task(name="break")
    @command
    def breaking(_) -> None:
        """Break."""
        raise error

    return Collection(breaking)


@pytest.mark.parametrize("kind", KINDS)
def test_exit_code(invoke, kind):
    """Each error ends with its own exit code and its three lines, and no traceback."""
    done = invoke("break", raising(kind("It broke.", "It was old.", "Buy another.")))

    assert done.code == kind.exit_code
    assert done.out == ""
    assert done.err == "error: It broke.\nIt was old.\nBuy another.\n"


def test_ctrl_c(invoke):
    """Ctrl-C outside a step that undoes its work is still no traceback."""
    done = invoke("break", raising(KeyboardInterrupt()))

    assert done.code == 130
    assert done.err.splitlines()[0] == "error: Stopped."


def test_bug(invoke, tmp_path):
    """What nobody expected ends with 1 and one line to report, and its traceback is in a file."""
    done = invoke("break", raising(ZeroDivisionError("by nothing")))

    assert done.code == 1
    what, why, todo = done.err.splitlines()
    assert what == "error: This is a mistake in dockyard, not yours."
    assert why == "ZeroDivisionError: by nothing"
    (report,) = tmp_path.glob("dockyard-*.txt")
    assert str(report) in todo
    assert "Traceback" in report.read_text()


def test_exit(invoke):
    """A task that ends itself with a code ends with it."""
    assert invoke("break", raising(Exit(code=9))).code == 9


def test_fine(invoke):
    """A task that raises nothing says nothing and ends with 0."""

    @task
    @command
    def fine(_, flag: bool = False, name: str = "x") -> None:
        """Be fine."""
        assert (flag, name) == (True, "y")

    done = invoke("fine --flag --name y", Collection(fine))
    assert (done.code, done.out, done.err) == (0, "", "")


@pytest.mark.parametrize("way", ["lines(['[', *map(str, numbers)])", "document([*numbers])"], ids=["lines", "document"])
def test_closed_pipe(tmp_path, way):
    """A reader that has had enough, as `head` has, is no mistake of ours."""
    (tmp_path / "tasks.py").write_text(
        "from invoke import task\nfrom dockyard.tasks.bridge import command\n"
        "from dockyard.report.console import Console\n\n"
        f"@task\n@command\ndef many(_):\n    numbers = range(100_000)\n    Console().{way}\n"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "invoke", "many"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "[\n"
        process.stdout.close()
        assert process.stderr.read() == ""

    assert process.returncode == 141


def test_choice():
    """What is none of the choices is refused, with all of them."""
    assert choice("progress", "tty", ("auto", "tty")) == "tty"

    with pytest.raises(SettingsError) as caught:
        choice("progress", "loud", ("auto", "tty"))
    assert sentences(caught.value)[:2] == ("--progress loud is unknown.", "It can be auto, tty.")


def test_format():
    """JSON is asked for, or a table; nothing else is known."""
    assert as_json("json") is True
    assert as_json("table") is False
    with pytest.raises(SettingsError):
        as_json("yaml")


@pytest.mark.parametrize("given", ["0", "-1", "1.5", "", "many", "²"])
def test_whole_number(given):
    """A number of lines is a whole number of one or more."""
    assert whole_number("lines", "7") == 7

    with pytest.raises(SettingsError) as caught:
        whole_number("lines", given)
    sentences(caught.value)


HEAVY = ("docker", "filelock", "psutil", "pydantic", "python_on_whales", "requests", "rich", "dockyard.pipeline")


@pytest.mark.parametrize("module", ["dockyard", "dockyard.tasks"])
def test_light(module):
    """What `invoke --list` imports brings none of the heavy libraries."""
    script = f"import sys, {module}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


def test_no_cycle():
    """The bridge knows no task."""
    text = Path(sys.modules[command.__module__].__file__).read_text("utf-8")

    assert "import container" not in text
    assert "import image" not in text
