"""BuildKit's own small shell: quotes, escapes and `$` in a word, as its lexer reads them.

It reads words to expand variables, to find heredocs, and to print a step's name; each of the three keeps other things.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from dockyard.dockerfile.problem import Refused
from dockyard.dockerfile.substitution import replace, without_prefix, without_suffix
from dockyard.dockerfile.words import SPACES

if TYPE_CHECKING:
    from collections.abc import Mapping

DEPTH = 100  # of ${a:-${b:-…}}; nobody nests deeper, and Python's stack ends


@dataclass(frozen=True, kw_only=True)
class Style:
    """What a lexer keeps.

    Attributes:
        escape: The escape character.
        quotes: Quotes are dropped, kept, or taken for ordinary letters.
        keep_escapes: Escape characters stay.
        keep_unset: `$x` stays as it is where x is not set, instead of becoming nothing.
    """

    escape: str = "\\"
    quotes: Literal["drop", "keep", "ordinary"] = "drop"
    keep_escapes: bool = False
    keep_unset: bool = False


def expand(text: str, environment: Mapping[str, str], style: Style) -> str:
    """Return a text with its variables replaced.

    Raises:
        Refused: A quote or a brace is not closed, or `${x:?…}` says so.
    """
    return "".join(piece for piece, _ in _Lexer(text, environment, style).read())


def split(text: str, environment: Mapping[str, str], style: Style) -> tuple[str, ...]:
    """Return the words of a text after its variables were replaced; quoted or escaped white space does not cut.

    Raises:
        Refused: As `expand`.
    """
    words: list[str] = []
    begun: list[str] = []
    for piece, whole in _Lexer(text, environment, style).read():
        first, *others = [piece] if whole else SPACES.split(piece)
        begun.append(first)
        for other in others:
            words.append("".join(begun))
            begun = [other]
    words.append("".join(begun))
    return tuple(word for word in words if word)


@cache
def _plain(escape: str, stop: str) -> re.Pattern[str]:
    return re.compile(rf"[^$<'\"{re.escape(escape)}{stop}]+")


class _Lexer:
    """Reads a text once, from its beginning to its end, in pieces; True marks those that white space does not cut."""

    def __init__(self, text: str, environment: Mapping[str, str], style: Style) -> None:
        self._text = text
        self._environment = environment
        self._style = style
        self._keep_escapes = style.keep_escapes
        self._at = 0
        self._depth = 0

    def read(self) -> list[tuple[str, bool]]:
        return self._until("")

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        character = self._peek()
        self._at += 1
        return character

    def _until(self, stop: str) -> list[tuple[str, bool]]:
        """Read up to a character, or to the end if it is none."""
        pieces: list[tuple[str, bool]] = []
        plain = _plain(self._style.escape, stop)
        while (character := self._peek()) and character != stop:
            if found := plain.match(self._text, self._at):
                self._at = found.end()
                pieces.append((found[0], False))
            elif character == "$":
                pieces.append((self._dollar(), False))
            else:
                pieces.append(self._special(character))
        if stop and not self._next():
            raise Refused(f"A {stop} is missing at the end.")
        return pieces

    def _special(self, character: str) -> tuple[str, bool]:
        """Read an escape, a quote, or the beginning of a heredoc's word."""
        if character == self._style.escape:
            self._at += 1
            return (character if self._keep_escapes else "") + self._next(), True
        if character == "<":
            found = re.compile(r"<<[\t\r ]*|<").match(self._text, self._at)
            return self._taken(found[0] if found else character), True
        if self._style.quotes == "ordinary":
            return self._next(), False
        return (self._single() if character == "'" else self._double()), True

    def _taken(self, text: str) -> str:
        self._at += len(text)
        return text

    def _single(self) -> str:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise Refused("A single quote is not closed.")
        quoted = self._taken(self._text[self._at : end + 1])
        return quoted if self._style.quotes == "keep" else quoted[1:-1]

    def _double(self) -> str:
        quote = self._next() if self._style.quotes == "keep" else self._next()[1:]
        pieces = [quote]
        plain = re.compile(rf"[^\"${re.escape(self._style.escape)}]+")
        while (character := self._peek()) != '"':
            if not character:
                raise Refused("A double quote is not closed.")
            if found := plain.match(self._text, self._at):
                pieces.append(self._taken(found[0]))
            elif character == "$":
                pieces.append(self._dollar())
            else:
                pieces.append(self._escaped())
        self._at += 1
        return "".join([*pieces, '"' if quote else ""])

    def _escaped(self) -> str:
        """Read an escape within double quotes, where it has a meaning before three characters only."""
        escape = self._next()
        kept = escape if self._keep_escapes else ""
        following = self._peek()
        if not following:
            return kept
        return kept + (self._next() if following in ('"', "$", escape) else escape)

    def _dollar(self) -> str:
        self._at += 1
        if self._peek() != "{":
            name = self._name()
            unset = f"${name}" if self._style.keep_unset or not name else ""
            return self._environment.get(name, unset) if name else "$"
        self._at += 1
        if self._peek() in ("", "{", "}", ":"):
            raise Refused("${ is followed by no name.")
        self._depth += 1
        if self._depth > DEPTH:
            raise Refused(f"Braces are nested more than {DEPTH} deep.")
        value = self._braces()
        self._depth -= 1
        return value

    def _braces(self) -> str:
        """Read what follows `${`."""
        name = self._name()
        mark = self._next()
        value = self._environment.get(name)
        if mark == "}":
            return value if value is not None else f"${{{name}}}" if self._style.keep_unset else ""
        if mark == "/":
            return self._replacement(name, value)
        if not mark:
            raise Refused("A } is missing at the end.")
        if mark == ":":
            mark += self._next()
        if mark not in ("-", "+", "?", "#", "%", ":-", ":+", ":?"):
            raise Refused(f"${{{name}{mark} is no substitution that BuildKit knows.")
        word = self._word("}", keep_escapes=mark in "#%")
        if value is None and self._style.keep_unset:
            return f"${{{name}{mark}{word}}}"
        if mark in "#%":
            trim = without_prefix if mark == "#" else without_suffix
            return trim(value or "", word.removeprefix(mark), greedy=word.startswith(mark))
        return _chosen(name, value, mark, word)

    def _replacement(self, name: str, value: str | None) -> str:
        everywhere = self._peek() == "/"
        self._at += everywhere
        pattern, new = (self._word(stop, keep_escapes=True) for stop in "/}")
        if value is None and self._style.keep_unset:
            return f"${{{name}/{pattern}/{new}}}"
        return replace(value or "", pattern, new, everywhere=everywhere)

    def _word(self, stop: str, *, keep_escapes: bool) -> str:
        before, self._keep_escapes = self._keep_escapes, keep_escapes
        word = "".join(piece for piece, _ in self._until(stop))
        self._keep_escapes = before
        return word

    def _name(self) -> str:
        """Read a name; digits, and each of the shell's special parameters, are a name of their own."""
        found = re.compile(r"\d+|[@*#?$!-]|\w+").match(self._text, self._at)
        return self._taken(found[0]) if found else ""


def _chosen(name: str, value: str | None, mark: str, word: str) -> str:
    """Return what `-`, `+` and `?` make of a value; a colon before them takes an empty one for unset."""
    given = value if value is not None and (value or not mark.startswith(":")) else None
    if mark.endswith("-"):
        return word if given is None else given
    if mark.endswith("+"):
        return "" if given is None else word
    if given is None:
        raise Refused(f"{name}: {word or 'is not allowed to be ' + ('unset' if value is None else 'empty')}")
    return given
