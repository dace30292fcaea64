"""One logical line -> keyword, flags, and the words or the JSON list that follow.

Where BuildKit's releases differ, the newest is followed. White space is what Go calls so: Python's `str.split` would
also cut at the four ASCII separators.
"""

from __future__ import annotations

import json
import re
from functools import cache

from dockyard.dockerfile.problem import Refused

SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
BLANKS = re.compile(r"[\t\v\f\r ]+")
SPACES = re.compile(f"[{SPACE}]+")
SURROGATE = re.compile("[\ud800-\udfff]")


def split_keyword(line: str) -> tuple[str, str]:
    """Return the keyword as written, and the rest."""
    keyword, *rest = BLANKS.split(line.strip(SPACE), maxsplit=1)
    return keyword, rest[0] if rest else ""


@cache
def _flag(escape: str) -> re.Pattern[str]:
    """A word whose quotes are of one kind: a quoted mark is escaped in both."""
    mark = re.escape(escape)
    quoted = "|".join(rf"{quote}(?:{mark}.|[^{quote}{mark}])*+(?:{quote}|{mark}?\Z)" for quote in "'\"")
    return re.compile(rf"(?:{mark}.|{quoted}|{mark}\Z|[^{SPACE}'\"{mark}]++)+", re.DOTALL)


@cache
def _token(escape: str) -> re.Pattern[str]:
    """A word of a shell, of which an escape at the very end is no part."""
    mark = re.escape(escape)
    double = rf"\"(?:{mark}.|[^\"{mark}])*+(?:\"|(?P<within>{mark})?\Z)"
    return re.compile(rf"(?:{mark}.|'[^']*+(?:'|\Z)|{double}|(?P<last>{mark})\Z|[^{SPACE}'\"{mark}]++)+", re.DOTALL)


def split_flags(rest: str, escape: str) -> tuple[tuple[str, ...], str]:
    """Return the words in front that begin with `--`, without their quotes, and what follows them.

    A lone `--` ends them.
    """
    flags: list[str] = []
    at, size = 0, len(rest)
    while at < size:
        gap = SPACES.match(rest, at)
        at = gap.end() if gap else at
        found = _flag(escape).match(rest, at) if rest.startswith("--", at) else None
        if found is None:
            break
        at = found.end()
        flag = _unquoted(found[0], escape)
        if flag == "--":
            break
        flags.append(flag)
    return tuple(flags), rest[at:].strip(SPACE)


def _unquoted(word: str, escape: str) -> str:
    """Drop a flag's quotes and escapes; they are no part of its value."""
    out: list[str] = []
    quote, characters = "", iter(word)
    for character in characters:
        if character == escape:
            out.append(next(characters, ""))
        elif quote and character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
        else:
            out.append(character)
    return "".join(out)


def tokens(rest: str, escape: str) -> tuple[str, ...]:
    """Return the words of ENV, ARG, LABEL and shell commands: cut at white space that is not quoted, quotes kept."""
    words = []
    for found in _token(escape).finditer(rest):
        dangling = found["within"] or found["last"]
        words.append(found[0].removesuffix(escape) if dangling else found[0])
    return tuple(word for word in words if word)


def blanks(rest: str) -> tuple[str, ...]:
    """Return the words of FROM, COPY, ADD, EXPOSE and VOLUME: cut at white space, whatever the quotes."""
    return tuple(BLANKS.split(rest)) if rest else ()


def json_list(rest: str) -> tuple[str, ...] | None:
    """Return the strings of a JSON list, or None if it is none and thus a shell's command.

    Raises:
        Refused: It is a list, but not of strings.
    """
    rest = rest.lstrip(SPACE)
    if not rest.startswith("["):
        return None
    try:
        found = json.loads(rest, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(each, str) for each in found):
        raise Refused("A JSON list here holds strings only.")
    # Go reads half a character, which JSON can spell and UTF-8 cannot, as the replacement character.
    return tuple(SURROGATE.sub("\ufffd", each) for each in found)


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are Python's own
