from __future__ import annotations

import json
from pathlib import Path

import pytest

from dockyard.machine import interpreters

# Answers as an interpreter would; its prefix is what it is asked from unless something else is said.
PROGRAM = """#!/bin/sh
cat <<'END'
{answer}
END
exit {code}
"""


@pytest.fixture(autouse=True)
def no_others(monkeypatch):
    """Only the folders below a test's own home are looked at."""
    real = interpreters.prefixes

    def prefixes(home, environment):
        return [(kind, prefix) for kind, prefix in real(home, environment) if prefix.is_relative_to(home)]

    monkeypatch.setattr(interpreters, "prefixes", prefixes)


def cpython(prefix: Path, version: str = "3.12.1", /, *, code: int = 0, pip: bool = True, **answer) -> Path:
    """Lay out a prefix that looks like a CPython."""
    minor = ".".join(version.split(".")[:2])
    library = prefix / "lib" / f"python{minor}"
    for folder in (prefix / "bin", library / "lib-dynload", library / "ensurepip/_bundled"):
        folder.mkdir(parents=True)
    (library / "os.py").touch()
    if pip:
        (library / "ensurepip/_bundled/pip-23.2.1-py3-none-any.whl").touch()
    told = {"version": version, "final": True, "prefix": str(prefix), "whole": True, "cpython": True, **answer}
    program = prefix / "bin" / f"python{minor}"
    program.write_text(PROGRAM.format(answer=json.dumps(told), code=code))
    program.chmod(0o755)
    return prefix


def find(home: Path, python: str = "3.12", **environment: str):
    return interpreters.find(python, home, environment)


@pytest.mark.parametrize(
    ("folder", "kind"),
    [(".pyenv/versions/3.12.1", "pyenv"), (".local/share/uv/python/cpython-3.12.1-linux", "uv")],
)
def test_found(tmp_path, folder, kind):
    """A whole CPython is found where version managers keep them, with its version, its prefix and its kind."""
    prefix = cpython(tmp_path / folder)

    found = find(tmp_path)

    assert found == interpreters.Interpreter(prefix=prefix, version="3.12.1", kind=kind)
    assert found.minor == "3.12"


def test_pyenv_root(tmp_path):
    """A pyenv is looked for where PYENV_ROOT says."""
    cpython(tmp_path / "elsewhere/versions/3.12.1")

    assert find(tmp_path) is None
    assert find(tmp_path, PYENV_ROOT=str(tmp_path / "elsewhere"))


def test_own(tmp_path, monkeypatch):
    """The CPython that runs us counts wherever it lies, unless it is the distribution's."""
    monkeypatch.setattr("sys.base_prefix", str(cpython(tmp_path / "somewhere")))
    assert find(tmp_path).kind == "other"

    monkeypatch.setattr("sys.base_prefix", "/usr")
    assert Path("/usr") not in [prefix for _, prefix in interpreters.prefixes(Path("/"), {})]


def test_newest(tmp_path):
    """Of several the newest is taken, by number and not by letter; other minor versions do not count."""
    for version in ("3.12.9", "3.12.10", "3.12.2", "3.11.14", "3.13.0"):
        cpython(tmp_path / ".pyenv/versions" / version, version)

    assert find(tmp_path).version == "3.12.10"
    assert find(tmp_path, "3.13").version == "3.13.0"
    assert find(tmp_path, "3.14") is None
    assert find(tmp_path, "3.1") is None


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"final": False}, id="pre-release"),
        pytest.param({"whole": False}, id="virtual-environment"),
        pytest.param({"cpython": False}, id="pypy"),
        pytest.param({"prefix": "/usr"}, id="prefix-elsewhere"),
        pytest.param({"prefix": "/no/such/folder"}, id="prefix-nowhere"),
        pytest.param({"code": 1}, id="broken"),
        pytest.param({"pip": False}, id="without-pip"),
    ],
)
def test_unfit(tmp_path, changed):
    """What is no final, whole CPython under its own prefix is passed over."""
    cpython(tmp_path / ".pyenv/versions/3.12.1", **changed)

    assert find(tmp_path) is None


def test_half_copied(tmp_path):
    """A folder without its standard library or its program is passed over, and not run."""
    prefix = cpython(tmp_path / ".pyenv/versions/3.12.1")
    (prefix / "lib/python3.12/os.py").unlink()
    assert find(tmp_path) is None

    (prefix / "lib/python3.12/os.py").touch()
    (prefix / "bin/python3.12").unlink()
    assert find(tmp_path) is None


def test_chatter(tmp_path):
    """A program that prints something else than the answer is passed over."""
    prefix = cpython(tmp_path / ".pyenv/versions/3.12.1")
    (prefix / "bin/python3.12").write_text("#!/bin/sh\necho pyenv: version not installed\n")

    assert find(tmp_path) is None
