"""The patterns of `${x#p}`, `${x%p}` and `${x/p/r}`: `*`, `?` and escapes, without brackets."""

from __future__ import annotations

import re

from dockyard.dockerfile.problem import Refused

PIECE = re.compile(r"\\(?P<escaped>.)|(?P<other>.)", re.DOTALL)


def without_prefix(value: str, pattern: str, *, greedy: bool) -> str:
    """Return a value without the shortest, or longest, beginning that a pattern matches."""
    found = re.match(_regex(_pieces(pattern), greedy=greedy), value)
    return value[found.end() :] if found else value


def without_suffix(value: str, pattern: str, *, greedy: bool) -> str:
    """Return a value without the shortest, or longest, ending that a pattern matches.

    Both are read backwards, since a regular expression finds the leftmost match.
    """
    found = re.match(_regex(_pieces(pattern)[::-1], greedy=greedy), value[::-1])
    return value[: len(value) - found.end()] if found else value


def replace(value: str, pattern: str, new: str, *, everywhere: bool) -> str:
    """Return a value in which what a pattern matches, at its longest, is replaced, once or everywhere."""
    return re.sub(_regex(_pieces(pattern), greedy=True), lambda _: new, value, count=0 if everywhere else 1)


def _pieces(pattern: str) -> list[str]:
    """Return what each piece of a pattern matches: a character, `?` for any, `*` for any number."""
    if len(pattern) - len(pattern.rstrip("\\")) & 1:
        raise Refused(f"The pattern {pattern} ends in an escape.")
    pieces = []
    for found in PIECE.finditer(pattern):
        escaped = found["escaped"]
        if escaped and escaped not in "}/*?\\":
            raise Refused(f"The pattern {pattern} has an escape before {escaped}, which has no meaning there.")
        pieces.append(
            re.escape(escaped) if escaped else found["other"] if found["other"] in "*?" else re.escape(found["other"])
        )
    return pieces


def _regex(pieces: list[str], *, greedy: bool) -> str:
    star = ".*" if greedy else ".*?"
    return "".join(star if piece == "*" else "." if piece == "?" else piece for piece in pieces)
