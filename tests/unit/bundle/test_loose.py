"""What commands install without a lock: what pip is asked for, and when nobody can say it."""

from __future__ import annotations

import pytest

from dockyard import bundle
from dockyard.dockerfile import parse

from . import made

PROJECT = """
[project]
dependencies = ["alpha>=1", "beta; python_version < '3'"]
optional-dependencies = { web = ["gamma"] }
[build-system]
requires = ["hatchling"]
"""
FILES = {
    "requirements.txt": "# what it needs\nalpha~=1.0  # why\n-r requirements/more.txt\n--extra-index-url https://host/simple\n",
    "requirements/more.txt": "beta-x[extra]>=2; python_version < '3.13'\n",
    "requirements/held.txt": "alpha<2\n",
    "lock.txt": made.TEXT,
    "strange.txt": "alpha @ https://host/alpha.whl\n",
    "round.txt": "-r round.txt\n",
    "found.txt": "--find-links /wheels\nalpha\n",
    "pyproject.toml": PROJECT,
    "ignored.txt": "alpha\n",
    ".dockerignore": "ignored.txt\n",
}
ALL = ("alpha~=1.0", "beta-x[extra]>=2; python_version < '3.13'", "--extra-index-url https://host/simple")


@pytest.fixture
def found(tmp_path):
    """Return what a RUN instruction installs without a lock."""

    def found(run, files=FILES):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        tree = parse(f"FROM scratch AS unused\nRUN pip install unused\nFROM {made.BASE}\nRUN {run}\n")
        return bundle.loose_of(tree, tree.final, tmp_path, tmp_path / "Dockerfile")

    return found


@pytest.mark.parametrize(
    ("run", "lines"),
    [
        ("pip install -r requirements.txt", ALL),
        ("python -m pip install --no-cache-dir --timeout 60 --requirement=/tmp/requirements.txt 2>&1 > /dev/null", ALL),
        ("uv pip install --system -r/app/requirements/more.txt", ALL[1:2]),
        ("if true; then pip3 install --upgrade 'alpha>1' beta; fi", ("alpha>1", "beta")),
        ("pip install -i https://host/simple --pre alpha", ("--index-url https://host/simple", "--pre", "alpha")),
        ("pip install .", ("hatchling", "alpha>=1", "beta; python_version < '3'")),
        ("pip install -e '.[web]'", ("hatchling", "alpha>=1", "beta; python_version < '3'", "gamma")),
        ("pip install --no-deps .", ("hatchling",)),
        ("pip install -r lock.txt alpha", ("alpha",)),
    ],
)
def test_lines(found, run, lines):
    """Files, those that they name, names and the project itself become the lines that pip is asked for."""
    (only,) = found(run)
    assert (only.lines, only.unknown, only.place) == (lines, "", "Dockerfile:4")


def test_constraints(found):
    """What a command is held to holds the fetching too."""
    (only,) = found("pip install -c requirements/held.txt alpha")
    assert (only.lines, only.constraints) == (("alpha",), ("alpha<2",))


@pytest.mark.parametrize(
    "run",
    [
        "pip install -r lock.txt",
        "pip install --require-hashes -r none.txt",
        "pip install --no-index alpha",
        "pip install --no-deps ./wheels/*.whl",
        "pip --version",
        "echo pip install alpha",
    ],
)
def test_nothing_loose(found, run):
    """A lock is fetched as one, and what asks no index asks for nothing."""
    assert found(run) == ()


@pytest.mark.parametrize(
    ("run", "why"),
    [
        ("pip install $WHAT", "it names a variable"),
        ("pip install -r $FILE", "it names a variable"),
        ("pip install -r ignored.txt", "the build context has no ignored.txt"),
        ("pip install -r strange.txt", "alpha is from a URL"),
        ("pip install -r round.txt", "round.txt names itself"),
        ("pip install -r found.txt", "found.txt has --find-links"),
        ("pip install git+https://host/alpha", "git+https://host/alpha is a file, and what it needs is not known"),
        ("pip install wheels/alpha.whl", "wheels/alpha.whl is a file, and what it needs is not known"),
        ("uv sync --frozen", "only what pip or `uv pip` installs from requirements can be packed"),
        ("poetry install", "only what pip or `uv pip` installs from requirements can be packed"),
    ],
)
def test_unknown(found, run, why):
    """What nobody can say is told with its reason, and never guessed."""
    (only,) = found(run)
    assert (only.lines, only.unknown) == ((), why)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[project]\ndynamic = ['dependencies']\n", "pyproject.toml does not say its dependencies"),
        ("[tool.poetry]\n", "pyproject.toml does not say its dependencies"),
        ("[project", "pyproject.toml cannot be read: Expected ']'"),
        (None, "there is no pyproject.toml that would tell what . needs"),
    ],
)
def test_project_that_does_not_say(found, text, why):
    """A project whose dependencies only its build would tell is one of those."""
    (only,) = found("pip install .", {"pyproject.toml": text} if text else {})
    assert only.unknown.startswith(why)


def test_unmet(tmp_path):
    """A requirement is met by a wheel of its name and of a version that it takes, where its marker holds."""
    wheels = [each for each in bundle.staged(made.stage(tmp_path)) if each.kind == "wheel"]
    lines = ("alpha~=1.0", "Beta.X>=3", "gamma", "delta; python_version < '3'", "--pre")
    loose = bundle.Loose(command="pip install", place="Dockerfile:4", lines=lines)
    assert list(loose.unmet(wheels, made.ENVIRONMENT)) == ["Beta.X>=3", "gamma"]
