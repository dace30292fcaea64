"""A CPython of this machine as a layer: moved to /usr/local, without its tests, caches and other packages."""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from dockyard.engines import process
from dockyard.machine.interpreters import pip_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.machine.archive import LayerWriter
    from dockyard.machine.interpreters import Interpreter

HOME = "/usr/local"
ELF = b"\x7fELF"
# As the official slim image, and what needs Tk or the network information service, whose libraries are not in it.
DROPPED_FOLDERS = {"__pycache__", "test", "tests", "idle_test", "idlelib", "tkinter", "turtledemo", "site-packages"}
DROPPED_FILES = re.compile(r".*\.(a|o|pyc|pyo)$|(_test|_ctypes_test|_xxtest|xxlimited|xxsubtype|_tkinter|nis\.).*")
PIP = """#!{home}/bin/python{minor}
import sys
from pip._internal.cli.main import main
if __name__ == "__main__":
    sys.exit(main())
"""


def write(interpreter: Interpreter, writer: LayerWriter, work: Path) -> None:
    """Write a CPython into a layer.

    Args:
        interpreter: Which.
        writer: The layer.
        work: An empty folder for copies that are changed.
    """
    minor, prefix = interpreter.minor, interpreter.prefix
    library = PurePosixPath(f"lib/python{minor}")
    chosen = sorted(_chosen(interpreter))
    stripped = _stripped([prefix / name for name in chosen], work)
    folders: set[PurePosixPath] = set()
    for parent in ("usr", "usr/lib", HOME.lstrip("/")):
        writer.folder(parent)
    for name in chosen:
        _write_folders(writer, name.parent, folders)
        _write_entry(writer, prefix, name, stripped)
    links = {
        "bin/python3": f"python{minor}",
        "bin/python": "python3",
        "bin/python3-config": f"python{minor}-config",
        "bin/pip": "pip3",
    }
    for link, target in links.items():
        writer.link(_inside(link), target)
    script = PIP.format(home=HOME, minor=minor).encode()
    writer.file(_inside("bin/pip3"), script, executable=True)
    writer.file(_inside(f"bin/pip{minor}"), script, executable=True)
    _write_pip(writer, prefix / library, library, folders)
    shared = f"libpython{minor}.so.1.0"
    if (prefix / "lib" / shared).exists():
        # The loader looks here without its cache, which only a running container could rebuild.
        writer.link(f"usr/lib/{shared}", f"{HOME}/lib/{shared}")


def _inside(name: str | PurePosixPath) -> str:
    """Return the name in the image of a path below the prefix."""
    return str(PurePosixPath(HOME.lstrip("/")) / name)


def _chosen(interpreter: Interpreter) -> Iterator[PurePosixPath]:
    """Yield what is copied, relative to the prefix."""
    minor, prefix = interpreter.minor, interpreter.prefix
    names = (
        "bin/python{}",
        "bin/python{}-config",
        "lib/libpython{}.so*",
        "lib/libpython3.so",
        "lib/pkgconfig/*-{}*.pc",
    )
    for name in names:
        yield from (PurePosixPath(found.relative_to(prefix)) for found in prefix.glob(name.format(minor)))
    for top in (prefix / f"lib/python{minor}", prefix / f"include/python{minor}"):
        for folder, folders, files in os.walk(top):
            folders[:] = [name for name in folders if name not in DROPPED_FOLDERS]
            for name in files:
                if not DROPPED_FILES.fullmatch(name):
                    yield PurePosixPath((Path(folder) / name).relative_to(prefix))


def _stripped(files: list[Path], work: Path) -> dict[Path, Path]:
    """Return copies of programs and libraries without what only debuggers and linkers read."""
    copies: dict[Path, Path] = {}
    for file in files:
        if file.is_symlink() or not file.is_file():
            continue
        with file.open("rb") as stream:
            if stream.read(len(ELF)) == ELF:
                copies[file] = work / str(len(copies))
                shutil.copyfile(file, copies[file])
    if process.find("strip"):
        # One that cannot be stripped stays as it is.
        process.run(["strip", "--strip-unneeded", *map(str, copies.values())], timeout=120)
    return copies


def _write_folders(writer: LayerWriter, folder: PurePosixPath, written: set[PurePosixPath]) -> None:
    """Write the folders above an entry that are not yet there."""
    for each in [*reversed(folder.parents), folder]:
        if each not in written and each.name:
            written.add(each)
            writer.folder(_inside(each))


def _write_entry(writer: LayerWriter, prefix: Path, name: PurePosixPath, stripped: dict[Path, Path]) -> None:
    """Write one file or relative link of the prefix."""
    file = prefix / name
    if file.is_symlink() and not Path(target := os.readlink(file)).is_absolute():  # noqa: PTH115 - keeps the text
        writer.link(_inside(name), target)
        return
    content = moved(stripped.get(file, file).read_bytes(), str(prefix))
    writer.file(_inside(name), content, executable=bool(file.stat().st_mode & 0o111))


def moved(content: bytes, prefix: str) -> bytes:
    """Return a file's content with its prefix replaced.

    In a program a string only becomes shorter, and the bytes after its new end stay: the linker lets other strings
    share the end of a longer one, `3.12.1` that of `…/versions/3.12.1` for instance.
    """
    old, new = prefix.encode(), HOME.encode()
    if old == new or old not in content:
        return content
    whole = re.compile(re.escape(old) + rb"(?![\w.-])")
    if not content.startswith(ELF):
        return whole.sub(new, content)

    def shortened(match: re.Match[bytes]) -> bytes:
        text = whole.sub(new, match[0])
        fits = len(text) < len(match[0])
        return text + b"\0" + match[0][len(text) + 1 :] if fits else match[0]

    return re.sub(whole.pattern + rb"[^\0]*", shortened, content)


def _write_pip(writer: LayerWriter, library: Path, name: PurePosixPath, folders: set[PurePosixPath]) -> None:
    """Unpack the pip that the CPython brings along."""
    wheel = pip_wheel(library)
    if not wheel:
        return
    with zipfile.ZipFile(wheel) as archive:
        for member in sorted(archive.namelist()):
            inside = name / "site-packages" / member
            if not member.endswith("/"):
                _write_folders(writer, inside.parent, folders)
                writer.file(_inside(inside), archive.read(member))
