"""`invoke size` as it is typed: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from invoke.collection import Collection

from dockyard.tasks.size import size as task
from images import file, saved
from unit.report.schemas import check

OLD = saved([file("usr/lib/libc.so", b"c" * 4000)])
NEW = saved([file("usr/lib/libc.so", b"c" * 4000)], [file("app/a.py", b"a" * 2000)])


@pytest.fixture
def size(invoke, project):
    """Type `invoke size …` where old.tar and new.tar are saved images."""
    (project / "old.tar").write_bytes(OLD)
    (project / "new.tar").write_bytes(NEW)
    return lambda line: invoke(f"size {line}", Collection(task))


def budget(project, line):
    with (project / "pyproject.toml").open("a", encoding="utf-8") as settings:
        settings.write(f"[tool.dockyard.size]\n{line}\n")


def test_size(size):
    """The figures are printed, and it ends with 0."""
    done = size("--image new.tar")

    assert (done.code, done.err) == (0, "")
    assert "new.tar: 6.0 kB in 2 files" in done.out
    assert "RUN step 1" in done.out


def test_against(size):
    """--against tells what changed and what is shared."""
    done = size("--image new.tar --against old.tar")

    assert done.code == 0
    assert "+2.0 kB since old.tar: /app new (+2.0 kB)" in done.out
    assert "shared: layer 0" in done.out


@pytest.mark.parametrize(("form", "begin"), [("json", "{"), ("svg", "<svg"), ("markdown", "## "), ("table", "new.tar")])
def test_formats(size, form, begin):
    """Each format is printed alone, so that a pipe gets nothing else."""
    done = size(f"--image new.tar --format {form}")

    assert done.code == 0
    assert done.out.startswith(begin)


def test_svg(size, project):
    """--svg writes the picture beside what is printed."""
    done = size("--image new.tar --format json --svg map.svg")

    check(json.loads(done.out), "size")
    assert json.loads(done.out)["total"] == 6000
    assert ElementTree.parse(project / "map.svg").getroot().tag.endswith("svg")


@pytest.mark.parametrize("form", ["table", "json", "markdown"])
def test_over_budget(size, project, form):
    """A budget that is not met ends with 5, after everything was printed and written."""
    budget(project, 'total = "5k"\nover_base = "1k"')
    done = size(f"--image new.tar --svg map.svg --format {form}")

    assert done.code == 5
    assert done.out
    assert (project / "map.svg").is_file()
    assert done.err.splitlines()[0] == "error: 2 budgets are not met."
    assert 'size.total = "5k" (5.1 kB): 6.0 kB, 880 B too much' in done.err
    assert "size.over_base" in done.err


def test_budget_is_met(size, project):
    """A budget that is met is silent."""
    budget(project, 'total = "6k"')
    assert size("--image new.tar").code == 0


def test_depth_and_top(size):
    """--depth and --top say how much is told."""
    done = size("--image new.tar --depth 1 --top 1")

    assert "folder, depth 1" in done.out
    assert "1 more" in done.out


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("--format yaml", "--format yaml is unknown."),
        ("--depth none", "--depth none is unknown."),
        ("--top 0", "--top 0 is unknown."),
        ("--svg nowhere/a.svg", "--svg nowhere/a.svg is not possible."),
    ],
)
def test_refused(size, line, what):
    """What cannot be meant is refused in three lines with exit code 2, before anything is done."""
    done = size(line)

    assert done.code == 2
    assert done.err.splitlines()[0] == f"error: {what}"
    assert len(done.err.splitlines()) == 3


def test_no_engine(size):
    """Without an engine there is no image to measure, and the error says how to start one."""
    done = size("")

    assert done.code == 3
    assert "invoke setup" in done.err
