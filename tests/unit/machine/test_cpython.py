from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

from dockyard.machine import archive, cpython
from dockyard.machine.interpreters import Interpreter

PREFIX = "/home/someone/.pyenv/versions/3.12.1"
TWO = f"{PREFIX}/lib:{PREFIX}/lib64"
LIBRARY = "usr/local/lib/python3.12"


def program(text: str) -> bytes:
    return b"\x7fELF\0" + text.encode() + b"\0end"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"no prefix here", b"no prefix here", id="unchanged"),
        pytest.param(f"#!{PREFIX}/bin/python3.12\nx".encode(), b"#!/usr/local/bin/python3.12\nx", id="script"),
        pytest.param(
            f"{PREFIX}0 {PREFIX}-x {PREFIX}".encode(), f"{PREFIX}0 {PREFIX}-x /usr/local".encode(), id="longer"
        ),
        pytest.param(program(PREFIX), program("/usr/local\0" + PREFIX[11:]), id="program"),
        pytest.param(program(TWO), program("/usr/local/lib:/usr/local/lib64\0" + TWO[32:]), id="several-in-one-string"),
    ],
)
def test_moved(before, after):
    """The prefix is replaced in text, and in programs without moving a byte behind the string's new end."""
    assert cpython.moved(before, PREFIX) == after


def test_shared_ends():
    """A string that the linker lets share the end of the prefix is still there: `3.12.1` is such a one."""
    changed = cpython.moved(b"\x7fELF\0" + PREFIX.encode() + b"\0", PREFIX)

    assert len(changed) == len(PREFIX) + 6
    assert changed.endswith(b"3.12.1\0")


@pytest.mark.parametrize("prefix", ["/usr/local", "/opt/py"])
def test_programs_that_cannot_be_changed(prefix):
    """A program of a prefix that is ours already, or shorter, stays as it is."""
    content = b"\x7fELF\0" + prefix.encode() + b"/lib\0"

    assert cpython.moved(content, prefix) == content


@pytest.fixture
def interpreter(tmp_path) -> Interpreter:
    """A CPython in small, with what must not be copied beside what must."""
    prefix = tmp_path / "prefix"
    files = {
        "bin/python3.12": "program",
        "bin/python3.12-config": f"#!/bin/sh\nprefix={prefix}\n",
        "bin/somebodys-tool": "x",
        "lib/libpython3.12.so.1.0": "library",
        "lib/libpython3.12.a": "x",
        "lib/pkgconfig/python-3.12.pc": f"prefix={prefix}",
        "lib/pkgconfig/other.pc": "x",
        "lib/python3.12/os.py": "import sys",
        "lib/python3.12/os.pyc": "x",
        "lib/python3.12/__pycache__/os.cpython-312.pyc": "x",
        "lib/python3.12/test/test_os.py": "x",
        "lib/python3.12/unittest/case.py": "class TestCase: ...",
        "lib/python3.12/lib2to3/tests/data.py": "x",
        "lib/python3.12/idlelib/idle.py": "x",
        "lib/python3.12/tkinter/ttk.py": "x",
        "lib/python3.12/config-3.12/libpython3.12.a": "x",
        "lib/python3.12/config-3.12/Makefile": f"prefix={prefix}",
        "lib/python3.12/lib-dynload/_ssl.cpython-312.so": "ssl",
        "lib/python3.12/lib-dynload/_testcapi.cpython-312.so": "x",
        "lib/python3.12/lib-dynload/_tkinter.cpython-312.so": "x",
        "lib/python3.12/lib-dynload/nis.cpython-312.so": "x",
        "lib/python3.12/site-packages/company_ca.pth": "import company",
        "lib/python3.12/site-packages/requests/api.py": "x",
        "lib/python3.12/ensurepip/__init__.py": "",
        "include/python3.12/Python.h": "#pragma once",
        "share/man/man1/python3.1": "x",
    }
    for name, text in files.items():
        file = prefix / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (prefix / "bin/python3.12").chmod(0o700)
    (prefix / "lib/libpython3.12.so").symlink_to("libpython3.12.so.1.0")
    (prefix / "lib/python3.12/linked.py").symlink_to(prefix / "lib/python3.12/os.py")
    wheel = prefix / "lib/python3.12/ensurepip/_bundled/pip-23.2.1-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archived:
        archived.writestr("pip/__init__.py", "__version__ = '23.2.1'")
        archived.writestr("pip-23.2.1.dist-info/METADATA", "Name: pip")
    return Interpreter(prefix=prefix, version="3.12.1", kind="pyenv")


def layer(interpreter: Interpreter, path: Path):
    work = path.with_suffix(".work")
    work.mkdir()
    with archive.write_layer(path, "") as (writer, blob):
        cpython.write(interpreter, writer, work)
    return blob.layer


@pytest.fixture
def written(interpreter, tmp_path):
    """The layer's entries by their names."""
    layer(interpreter, tmp_path / "layer")
    with tarfile.open(tmp_path / "layer") as tar:
        entries = {each.name: (each, tar.extractfile(each).read() if each.isreg() else b"") for each in tar}
        assert len(entries) == len(tar.getmembers()), "no entry is written twice"
    return entries


def test_copied(written):
    """What makes a Python is there, and of the rest nothing: no tests, caches, static libraries or other packages."""
    assert {name for name, (entry, _) in written.items() if not entry.isdir()} == {
        "usr/lib/libpython3.12.so.1.0",
        *(f"usr/local/bin/{name}" for name in ("pip", "pip3", "pip3.12", "python", "python3", "python3-config")),
        "usr/local/bin/python3.12",
        "usr/local/bin/python3.12-config",
        "usr/local/include/python3.12/Python.h",
        "usr/local/lib/libpython3.12.so",
        "usr/local/lib/libpython3.12.so.1.0",
        "usr/local/lib/pkgconfig/python-3.12.pc",
        f"{LIBRARY}/os.py",
        f"{LIBRARY}/linked.py",
        f"{LIBRARY}/unittest/case.py",
        f"{LIBRARY}/config-3.12/Makefile",
        f"{LIBRARY}/lib-dynload/_ssl.cpython-312.so",
        f"{LIBRARY}/ensurepip/__init__.py",
        f"{LIBRARY}/ensurepip/_bundled/pip-23.2.1-py3-none-any.whl",
        f"{LIBRARY}/site-packages/pip/__init__.py",
        f"{LIBRARY}/site-packages/pip-23.2.1.dist-info/METADATA",
    }


def test_folders(written):
    """Every entry's folder is written before it, so that no engine has to make one up."""
    seen: set[str] = set()
    for name, (entry, _) in written.items():
        parent = name.rpartition("/")[0]
        assert not parent or parent in seen
        if entry.isdir():
            seen.add(name)


def test_prefix(written, interpreter):
    """No file names the place that it came from."""
    assert not [name for name, (_, content) in written.items() if str(interpreter.prefix).encode() in content]
    assert written[f"{LIBRARY}/config-3.12/Makefile"][1] == b"prefix=/usr/local"


def test_rights(written):
    """Programs can be run by everyone, whoever might before; all else can be read."""
    assert {name for name, (entry, _) in written.items() if entry.isreg() and entry.mode == 0o755} == {
        "usr/local/bin/python3.12",
        "usr/local/bin/pip3",
        "usr/local/bin/pip3.12",
    }
    assert written[f"{LIBRARY}/os.py"][0].mode == 0o644


def test_links(written):
    """The usual names lead to the interpreter, its library to where the loader looks; absolute links become files."""
    links = {name: entry.linkname for name, (entry, _) in written.items() if entry.issym()}

    assert links == {
        "usr/local/bin/python": "python3",
        "usr/local/bin/python3": "python3.12",
        "usr/local/bin/python3-config": "python3.12-config",
        "usr/local/bin/pip": "pip3",
        "usr/local/lib/libpython3.12.so": "libpython3.12.so.1.0",
        "usr/lib/libpython3.12.so.1.0": "/usr/local/lib/libpython3.12.so.1.0",
    }
    assert written[f"{LIBRARY}/linked.py"][1] == b"import sys"


def test_pip(written):
    """The pip is the one that the CPython brings along, with scripts that call this Python."""
    assert written[f"{LIBRARY}/site-packages/pip/__init__.py"][1] == b"__version__ = '23.2.1'"
    assert written["usr/local/bin/pip3"][1].startswith(b"#!/usr/local/bin/python3.12\n")


def test_order(written):
    """Files come in the order of their names, not in that of the machine's file system."""
    names = [Path(name) for name in written if name.startswith(LIBRARY) and "site-packages" not in name]
    files = [name for name in names if not written[str(name)][0].isdir()]

    assert files == sorted(files)


def test_same_bytes(interpreter, tmp_path):
    """The same CPython gives the same layer, whatever its files' times."""
    first = layer(interpreter, tmp_path / "one")
    for file in interpreter.prefix.rglob("*.py"):
        file.touch()

    assert layer(interpreter, tmp_path / "two").digest == first.digest


def test_stripped(interpreter, tmp_path, door):
    """Programs and libraries are stripped in copies, in one call; the machine's own are not touched."""
    door.programs["strip"] = "/usr/bin/strip"
    library = interpreter.prefix / "lib/python3.12/lib-dynload/_ssl.cpython-312.so"
    library.write_bytes(b"\x7fELF symbols")

    layer(interpreter, tmp_path / "layer")

    ((program, option, *copies),) = door.calls
    assert (program, option) == ("strip", "--strip-unneeded")
    assert [Path(copy).parent for copy in copies] == [tmp_path / "layer.work"]
    assert library.read_bytes() == b"\x7fELF symbols"
