"""Reads the Python of a health check out of the image, and what it does: its client, its timeout, the status."""

from __future__ import annotations

import ast
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.audit.facts.configured import environment, program, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.image import Image

PYTHON = re.compile(r"python[\d.]*")
OPTIONS_WITH_VALUE = "WX"
CLIENTS = ("http.client", "urllib.request", "socket")
STATUS = frozenset({"status", "status_code", "code", "getcode", "getstatus", "ok"})
OK = ("200", "OK")
CALLS_WITH_TIMEOUT = {
    "urlopen": 2,
    "create_connection": 1,
    "settimeout": 0,
    "setdefaulttimeout": 0,
    "HTTPConnection": 2,
}


@dataclass(frozen=True, kw_only=True)
class Source:
    """The Python that a command runs; `reason` says why it is not known."""

    path: str = ""
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Timeout:
    """A timeout as it is written; `seconds` is None if that takes running it."""

    written: str
    seconds: float | None


def source(image: Image, argv: tuple[str, ...]) -> Source:
    """Return the source of `python -c TEXT`, `python -m MODULE`, `python FILE`, or of a script in Python itself."""
    name, rest = argv[0], argv[1:]
    if not PYTHON.fullmatch(posixpath.basename(name)):
        entry = program(image, name)
        return _file(image, entry.path) if entry else Source(reason=f"{name} is not in the image")
    words = iter(rest)
    for word in words:
        if not word.startswith("-") or word == "-":
            return _file(image, posixpath.join(text(image, "WorkingDir") or "/", word))
        found = re.fullmatch(r"-[A-Za-z]*?(?P<what>[cm])(?P<rest>.*)", word, re.DOTALL)
        if found:
            given = found["rest"] or next(words, "")
            return Source(path="-c", code=given) if found["what"] == "c" else _module(image, given)
        if word[-1] in OPTIONS_WITH_VALUE:
            next(words, "")
    return Source(reason="the command names no code")


def _file(image: Image, path: str) -> Source:
    real = image.resolve(path)
    content = image.read(path)
    if real is None:
        return Source(reason=f"there is no {path} in the image")
    if content is None:
        return Source(reason=f"{real.path} was not kept to be read")
    code = content.decode("utf-8", "replace")
    first = code.partition("\n")[0]
    if not real.path.endswith(".py") and "python" not in first:
        return Source(path=real.path, reason=f"{real.path} is no Python")
    return Source(path=real.path, code=code)


def _module(image: Image, name: str) -> Source:
    """Find a module where Python would, without running it."""
    relative = name.replace(".", "/")
    for folder in _search(image):
        for tail in (f"{relative}.py", f"{relative}/__main__.py"):
            if image.resolve(posixpath.join(folder, tail)):
                return _file(image, posixpath.join(folder, tail))
    return Source(reason=f"the module {name} was not found in the image")


def _search(image: Image) -> Iterator[str]:
    home = text(image, "WorkingDir") or "/"
    yield home
    for folder in environment(image).get("PYTHONPATH", "").split(":"):
        if folder:
            yield posixpath.join(home, folder)
    yield from sorted({each for each in image.files if re.fullmatch(r".*/(site|dist)-packages", each)})
    yield from sorted({each for each in image.files if re.fullmatch(r".*/lib/python3\.\d+", each)})


def imports(tree: ast.AST) -> frozenset[str]:
    """Return the modules that a program imports, wherever it does."""
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return frozenset(found)


def clients(tree: ast.AST) -> tuple[str, ...]:
    """Return the standard library's clients that a program imports."""
    found = imports(tree)
    return tuple(each for each in CLIENTS if any(name == each or name.startswith(f"{each}.") for name in found))


def starts_programs(tree: ast.AST) -> bool:
    """Whether it can start another program, and leave the work to it."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    systems = (func.attr for func in calls if isinstance(func, ast.Attribute))
    return "subprocess" in imports(tree) or any(re.fullmatch(r"system|popen|exec[lv]p?e?|spawn\w+", e) for e in systems)


def timeouts(tree: ast.AST, variables: dict[str, str]) -> tuple[Timeout, ...]:
    """Return every timeout that is passed to a call; a name counts as its constant, or as the variable it is called."""
    constants = dict(_constants(tree))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return tuple(
        Timeout(written=ast.unparse(value), seconds=_seconds(value, constants, variables))
        for call in calls
        for value in _passed(call)
    )


def _passed(call: ast.Call) -> Iterator[ast.expr]:
    named = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    yield from (each.value for each in call.keywords if each.arg == "timeout")
    index = CALLS_WITH_TIMEOUT.get(named)
    if index is not None and len(call.args) > index and not any(isinstance(each, ast.Starred) for each in call.args):
        yield call.args[index]


def _constants(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(tree):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = getattr(node, "value", None)
        if isinstance(value, ast.expr):
            yield from ((each.id, value) for each in targets if isinstance(each, ast.Name))


def _seconds(
    value: ast.expr, constants: dict[str, ast.expr], variables: dict[str, str], depth: int = 4
) -> float | None:
    """Return what an expression is worth, as far as it can be told without running it."""
    if isinstance(value, ast.Constant):
        return _number(value.value) if value.value else float("inf")
    if isinstance(value, ast.Call | ast.Subscript):
        named = _read_variable(value)
        if named in variables:
            return _number(variables[named])
        inner = value.args[-1:] if isinstance(value, ast.Call) else []
        return _seconds(inner[0], constants, variables, depth - 1) if inner and depth else None
    name = value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""
    if name in constants and depth:
        return _seconds(constants[name], constants, variables, depth - 1)
    return _number(variables.get(name.upper()))


def _read_variable(value: ast.Call | ast.Subscript) -> str:
    """Return the variable that `os.environ["NAME"]`, `os.environ.get("NAME")` or `os.getenv("NAME")` reads."""
    key = value.slice if isinstance(value, ast.Subscript) else next(iter(value.args), None)
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except ValueError:
        return None


def tests_status(tree: ast.AST) -> bool:
    """Whether the answer's status is compared; urlopen raises on a bad one by itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "urlopen":
            return True
        if isinstance(node, ast.Compare | ast.BinOp | ast.If | ast.IfExp | ast.Assert | ast.Match):
            judged = node.test if isinstance(node, ast.If | ast.IfExp | ast.Assert) else node
            if any(_is_status(each) for each in ast.walk(judged)):
                return True
    return False


def _is_status(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in STATUS
    if isinstance(node, ast.Name):
        return node.id in STATUS
    return isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and b"200" in _bytes(node.value)


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def odd_exits(tree: ast.AST) -> tuple[int, ...]:
    """Return the exit codes beside 0 and 1 that it names; Docker reserves 2."""
    codes = []
    for node in ast.walk(tree):
        named = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and named in ("exit", "_exit", "SystemExit"):
            codes += [each.value for each in node.args if isinstance(each, ast.Constant) and type(each.value) is int]
    return tuple(code for code in codes if code not in (0, 1))
