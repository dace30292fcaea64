"""The wildcards of COPY and ADD, which .dockerignore has too, matched as the engine and its client match them.

Not with fnmatch: there a set is negated by `!` and not by `^`, and a backslash escapes nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache

PIECE = re.compile(
    r"(?P<star>\*)|(?P<one>\?)|\\(?P<escaped>.)|\[(?P<negated>\^?+)(?P<set>(?:\\.|[^\]\\])+)\]|(?P<plain>.)", re.DOTALL
)
IN_SET = re.compile(r"(?P<first>\\.|[^-\\])(?:-(?P<last>\\.|[^-\\]))?", re.DOTALL)


def wild(part: str) -> bool:
    """Whether a part of a path has a wildcard; the engine takes one that has none as it stands."""
    return any(each.lastgroup in ("star", "one", "set") or each[0] == "[" for each in PIECE.finditer(part))


@lru_cache
def wildcard(part: str) -> re.Pattern[str]:
    """Return a regular expression for a part of a path; one that the engine takes for no pattern matches nothing."""
    pieces = tuple(PIECE.finditer(part))
    if any(map(broken, pieces)):
        return re.compile("(?!)")
    return re.compile("".join(map(translated, pieces)))


def translated(found: re.Match[str]) -> str:
    """Return a regular expression for a piece of a pattern."""
    kind = found.lastgroup
    if kind == "star":
        return "[^/]*"
    if kind == "one":
        return "[^/]"
    if kind == "escaped" and found["escaped"].isalnum():
        # For the engine's client it is an expression's own escape then, such as a bell's, which is in no file's name.
        return "(?!)"
    if kind != "set":
        return re.escape(found[0][-1])
    ranges = (
        "-".join(re.escape(end[-1]) for end in (each["first"], each["last"]) if end)
        for each in IN_SET.finditer(found["set"])
    )
    return f"[{found['negated']}{''.join(ranges)}]"


def broken(found: re.Match[str]) -> bool:
    """Whether a piece is what is left of a bracket or an escape that was not closed, or a set that is none."""
    return found["plain"] in ("[", "\\") or not _is_set(found["set"])


def _is_set(text: str | None) -> bool:
    """Whether what stands in brackets is characters and ranges of them, each from the lower to the higher."""
    if text is None:
        return True
    found = list(IN_SET.finditer(text))
    ordered = all(not each["last"] or each["first"][-1] <= each["last"][-1] for each in found)
    return ordered and "".join(each[0] for each in found) == text
