"""The heredocs that a line opens, found as BuildKit finds them: a word of its own that begins with `<<`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dockyard.dockerfile.lexer import Style, split
from dockyard.dockerfile.problem import Refused

WORD = re.compile(r"\d*<<(?P<tabs>-?)(?P<gap>\s*)(?P<name>[^<]*)")
LEADING_TABS = re.compile(r"^\t+", re.MULTILINE)
# The escape is the shell's own, whatever the file's is.
RAW = Style(quotes="keep", keep_escapes=True, keep_unset=True)
KEPT, DROPPED = Style(quotes="keep", keep_unset=True), Style(keep_unset=True)


@dataclass(frozen=True, kw_only=True)
class Opening:
    """`<<EOF` in a line.

    Attributes:
        name: What the line that ends it holds.
        expand: Whether variables are replaced in it: its name has no quotes.
        chomp: `<<-`: tabs in front of its lines are dropped.
        apart: White space follows the `<<`; older BuildKits see no heredoc there, and `$((1 << 2))` is none.
    """

    name: str
    expand: bool
    chomp: bool
    apart: bool = False


def opening(word: str) -> Opening | None:
    """Read one word; None is no heredoc."""
    found = WORD.fullmatch(word)
    if not found:
        return None
    try:
        names, kept = split(found["name"], {}, DROPPED), "".join(split(found["name"], {}, KEPT))
    except Refused:
        return None
    if len(names) != 1:
        return None
    expand = all(names[0].count(quote) == kept.count(quote) for quote in "'\"")
    return Opening(name=names[0], expand=expand, chomp=bool(found["tabs"]), apart=bool(found["gap"]))


def openings(line: str) -> tuple[Opening, ...]:
    """Return the heredocs of a line in their order; a line whose quotes are not closed opens none."""
    if "<<" not in line:
        return ()
    try:
        words = split(line, {}, RAW)
    except Refused:
        return ()
    return tuple(found for word in words if "<<" in word and (found := opening(word)))


def chomped(body: str) -> str:
    """Return a heredoc's body without the tabs in front of its lines."""
    return LEADING_TABS.sub("", body)
