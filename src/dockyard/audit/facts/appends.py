"""Finds in Python sources what appends to a file that nobody cuts."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.read import Sources

ENDLESS = ("FileHandler", "WatchedFileHandler")
ROTATING = {"RotatingFileHandler": ("maxBytes", 2), "TimedRotatingFileHandler": ("backupCount", 3)}
# A module that moves or removes files beside appending to one rotates by itself.
CUTS = {"replace", "rename", "renames", "unlink", "remove", "truncate", "doRollover"}


def unbounded(sources: Sources) -> Iterator[tuple[str, int, str]]:
    """Yield path, line and what is wrong there; a file that is no Python is skipped."""
    for path, text in sorted(sources.files.items()):
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            continue
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        cuts = any(_name(call) in CUTS for call in calls)
        for call in calls:
            what = _endless_handler(call) or ("" if cuts else _append(call))
            if what:
                yield path, call.lineno, what


def _name(call: ast.Call) -> str:
    """Return the last part of what is called: `open` of `path.open(…)`."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _endless_handler(call: ast.Call) -> str:
    name = _name(call)
    if name in ENDLESS:
        return f"{name} writes one file without end"
    if name in ROTATING:
        keyword, position = ROTATING[name]
        given = {each.arg: each.value for each in call.keywords}
        bound = given.get(keyword) or (call.args[position] if len(call.args) > position else None)
        if bound is None or (isinstance(bound, ast.Constant) and not bound.value):
            return f"{name} without {keyword} keeps everything"
    return ""


def _append(call: ast.Call) -> str:
    """Say that a call opens a file to append to it; empty if it does not."""
    if _name(call) != "open":
        return ""
    # `open(path, mode)`, but `path.open(mode)`.
    first = 0 if isinstance(call.func, ast.Attribute) else 1
    modes = [*call.args[first : first + 2], *(each.value for each in call.keywords if each.arg == "mode")]
    texts = [each.value for each in modes if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    appends = any(text.startswith("a") and set(text) <= set("abt+") for text in texts)
    return "a file is appended to, and nothing in this module cuts it" if appends else ""
