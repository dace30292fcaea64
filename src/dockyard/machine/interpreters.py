"""The CPythons of this machine that are whole under a prefix of their own, so that they can be copied."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.engines import process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What an interpreter says of itself. -I and -S keep the user's own start-up files out of it.
QUESTION = """
import json, platform, sys
print(json.dumps({
    "version": platform.python_version(),
    "final": sys.version_info.releaselevel == "final",
    "prefix": sys.base_prefix,
    "whole": sys.prefix == sys.base_prefix == sys.base_exec_prefix and not sys.abiflags,
    "cpython": sys.implementation.name == "cpython",
}))
"""


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """A CPython that can be copied.

    Attributes:
        prefix: Its folder, with bin, lib and include.
        version: For instance 3.12.1.
        kind: What manages it, in a word that names no place of this machine: pyenv, uv, local, other.
    """

    prefix: Path
    version: str
    kind: str

    @property
    def minor(self) -> str:
        """For instance 3.12."""
        return ".".join(self.version.split(".")[:2])


def prefixes(home: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Yield the folders in which a whole CPython may lie, with the kind of each.

    /usr is none: a distribution's Python is spread over it and changed for it.
    """
    pyenv = Path(environment.get("PYENV_ROOT") or home / ".pyenv")
    uv = Path(environment.get("UV_PYTHON_INSTALL_DIR") or home / ".local/share/uv/python")
    for kind, folder, pattern in (
        ("pyenv", pyenv / "versions", "*"),
        ("uv", uv, "cpython-*"),
        ("local", Path("/usr/local"), "."),
        ("other", Path("/opt/python"), "*"),
        ("other", Path("/opt/hostedtoolcache/Python"), "*/*"),
    ):
        for prefix in [folder] if pattern == "." else sorted(folder.glob(pattern)):
            yield kind, prefix
    if sys.base_prefix != "/usr":
        yield "other", Path(sys.base_prefix)


def find(python: str, home: Path, environment: Mapping[str, str]) -> Interpreter | None:
    """Return the newest whole CPython of a minor version, for instance 3.12, or None."""
    found: dict[tuple[int, ...], Interpreter] = {}
    for kind, prefix in prefixes(home, environment):
        interpreter = ask(python, kind, prefix)
        if interpreter:
            numbers = tuple(int(part) for part in interpreter.version.split("."))
            found.setdefault(numbers, interpreter)
    return found[max(found)] if found else None


def ask(python: str, kind: str, prefix: Path) -> Interpreter | None:
    """Return the interpreter of a prefix if it is a final, whole CPython with its library and its pip."""
    program, library = prefix / "bin" / f"python{python}", prefix / "lib" / f"python{python}"
    whole = (library / "os.py").exists() and (library / "lib-dynload").is_dir()
    if not program.exists() or not whole or not pip_wheel(library):
        return None
    answer = process.run([str(program), "-I", "-S", "-c", QUESTION], timeout=20)
    if not answer.ok or not re.fullmatch(r"\{.*\}\s*", answer.output):
        return None
    told = json.loads(answer.output)
    own = Path(told["prefix"]).resolve() == prefix.resolve()
    if not (own and told["cpython"] and told["final"] and told["whole"]):
        return None
    return Interpreter(prefix=Path(told["prefix"]), version=told["version"], kind=kind)


def pip_wheel(library: Path) -> Path | None:
    """Return the pip that a CPython brings along, untouched by what was installed later."""
    return next(iter(sorted((library / "ensurepip/_bundled").glob("pip-*.whl"))), None)
