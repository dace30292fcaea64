"""`invoke sbom` as it is typed: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json

import pytest
from invoke.collection import Collection

from dockyard.tasks.sbom import sbom as task
from images import saved
from unit.sbom.made import distribution

OLD = saved([distribution("a", "1", "License: MIT")])
NEW = saved([distribution("a", "2", "License: GPL-3.0-only")])


@pytest.fixture
def sbom(invoke, project):
    """Type `invoke sbom …` where old.tar and new.tar are saved images."""
    (project / "old.tar").write_bytes(OLD)
    (project / "new.tar").write_bytes(NEW)
    return lambda line: invoke(f"sbom {line}", Collection(task))


def policy(project, line):
    with (project / "pyproject.toml").open("a", encoding="utf-8") as settings:
        settings.write(f"[tool.dockyard.sbom]\n{line}\n")


def test_sbom(sbom):
    """What is in the image is counted, and it ends with 0."""
    done = sbom("--image new.tar")

    assert (done.code, done.err) == (0, "")
    assert "1 component" in done.out
    assert "GPL-3.0-only" in done.out


@pytest.mark.parametrize(("form", "begin"), [("json", "{"), ("markdown", "## What is in"), ("table", "tiny 1")])
def test_formats(sbom, form, begin):
    """Each form is printed alone."""
    done = sbom(f"--image new.tar --format {form}")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(begin)


def test_write_and_compare(sbom, project):
    """The document that was written is what `--format json` prints, and what a later image is compared with."""
    first = sbom("--image old.tar --write old.json")
    printed = sbom("--image old.tar --format json")
    done = sbom("--image new.tar --against old.json")

    assert first.err == "old.json has the 1 components as CycloneDX 1.6.\n"
    assert (project / "old.json").read_text("utf-8") == printed.out
    assert json.loads(printed.out)["components"][0]["version"] == "1"
    assert "1 → 2" in done.out


@pytest.mark.parametrize("form", ["table", "json", "markdown"])
def test_policy(sbom, project, form):
    """A licence that is not allowed ends with 5, after all was printed and written: which package, which, where."""
    policy(project, 'deny = ["GPL-*"]')
    done = sbom(f"--image new.tar --write new.json --format {form}")

    assert done.code == 5
    assert done.out
    assert (project / "new.json").is_file()
    assert "a 2 (pypi) in /opt/venv/lib/python3.12/site-packages: GPL-3.0-only is denied by GPL-*" in done.err


def test_exception(sbom, project):
    """An exception with its reason lets a package in."""
    policy(project, 'deny = ["GPL-*"]\nexceptions = { a = "a tool that is not linked" }')
    assert sbom("--image new.tar").code == 0


def test_exception_without_reason(sbom, project):
    """An exception without a reason is a wrong setting."""
    policy(project, 'exceptions = { a = "" }')
    done = sbom("--image new.tar")
    assert done.code == 2
    assert "sbom" in done.err


@pytest.mark.parametrize(
    "flags",
    ["--format svg", "--top 0", "--write gone/x.json", "--image gone.tar --write .", "--against pyproject.toml"],
)
def test_wrong_flags(sbom, flags):
    """A flag that cannot be is refused with its code, and nothing is printed."""
    done = sbom(f"--image new.tar {flags}" if "--image" not in flags else flags)
    assert done.code in {2, 3}
    assert done.out == ""
