"""Looks for patterns in files as they pass; what matches is never kept, only its fingerprint."""

from __future__ import annotations

import hashlib
import re
from heapq import merge
from typing import TYPE_CHECKING

from dockyard.errors import SettingsError
from dockyard.image.model import Match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dockyard.image.model import Pattern
    from dockyard.image.notes import Notes

# How far a match may reach before and beyond the literal that it holds.
BEFORE, BEYOND = 1 << 10, 1 << 12
# A file with a NUL so near its beginning is no text.
SNIFFED = 1 << 13
FINGERPRINT = 12
# Three quarters of what texts consist of; a literal without them is still rare.
COMMON = b" \n\t\retaoinsrldcbjqwz0123456789()[]{}<>\"'`,;*#=+!?|&%$@^"
Ready = tuple["Pattern", "re.Pattern[bytes]"]
# A layer's place is known at the archive's end.
UNKNOWN = -1


class Search:
    """One pattern in one file, over its windows."""

    def __init__(self, pattern: Pattern, regex: re.Pattern[bytes]) -> None:
        self.pattern = pattern
        self.triggers = pattern.triggers
        self._regex = regex
        self._looked = 0
        self._told = 0

    def matches(self, path: str, window: bytes, offset: int, *, last: bool) -> Iterator[Match]:
        """Yield the matches near the literals of a window.

        Args:
            path: The file's.
            window: A part of it, which begins at least `BEFORE` before the literals that were not looked at yet.
            offset: Of the window in the file.
            last: Whether the file ends with the window; else literals so near the end that a match may reach out of it
                are left to the next.
        """
        until = len(window) if last else len(window) - BEYOND
        for begin, end, literal in _regions(window, self.triggers, max(self._looked - offset, 0), until):
            for found in self._regex.finditer(window, begin, end):
                if found.start() > literal:
                    break
                if offset + found.start() >= self._told and found.end() > found.start():
                    self._told = offset + found.end()
                    yield self._match(path, found, offset)
        self._looked = max(self._looked, offset + until)

    def _match(self, path: str, found: re.Match[bytes], offset: int) -> Match:
        return Match(
            pattern=self.pattern.name,
            layer=UNKNOWN,
            path=path,
            offset=offset + found.start(),
            length=found.end() - found.start(),
            fingerprint=hashlib.sha256(found[0]).hexdigest()[:FINGERPRINT],
        )


def _regions(window: bytes, triggers: tuple[bytes, ...], start: int, until: int) -> list[tuple[int, int, int]]:
    """Return begin, end and last literal of the places where matches can be, for literals between two points."""
    regions: list[tuple[int, int, int]] = []
    for at in merge(*(_positions(window, trigger, start, until) for trigger in triggers)):
        begin, end = max(at - BEFORE, 0), min(at + BEYOND, len(window))
        if regions and begin <= regions[-1][1]:
            begin = regions.pop()[0]
        regions.append((begin, end, at))
    return regions


def _positions(window: bytes, trigger: bytes, start: int, until: int) -> Iterator[int]:
    """Yield where a literal stands."""
    at = window.find(trigger, start)
    while 0 <= at < until:
        yield at
        at = window.find(trigger, at + 1)


class Parts:
    """A file that comes in pieces."""

    def __init__(self, path: str, searches: list[Search], kept: Callable[[Iterator[Match]], list[Match]]) -> None:
        self.found: list[Match] = []
        self._path = path
        self._searches = searches
        self._kept = kept
        self._tail = b""
        self._offset = 0

    def feed(self, buffer: bytes, start: int, end: int, *, last: bool) -> None:
        """Look through the next piece; a match may begin in those before."""
        if not self._searches:
            return
        window = b"".join((self._tail, memoryview(buffer)[start:end]))
        for search in self._searches:
            self.found += self._kept(search.matches(self._path, window, self._offset, last=last))
        self._tail = window[-(BEFORE + BEYOND) :]
        self._offset += len(window) - len(self._tail)


def _is_binary(buffer: bytes, start: int, end: int) -> bool:
    return buffer.find(b"\0", start, min(end, start + SNIFFED)) >= 0


def _compiled(pattern: Pattern) -> re.Pattern[bytes]:
    try:
        return re.compile(pattern.regex)
    except re.error as error:
        raise SettingsError(
            f"The pattern {pattern.name} is no regular expression.", f"{error}.", "Mend its expression."
        ) from None


class Scanner:
    """The patterns of one reading.

    Args:
        patterns: What to look for.
        notes: Counts the matches.

    Raises:
        SettingsError: A pattern is none.
    """

    def __init__(self, patterns: Sequence[Pattern], notes: Notes) -> None:
        self._all = tuple((each, _compiled(each)) for each in patterns)
        self._of_binaries = tuple(each for each in self._all if not each[0].text_only)
        self._hints: dict[bytes, list[tuple[bytes, Ready]]] = {}
        for ready in self._all:
            for trigger in ready[0].triggers:
                self._hints.setdefault(trigger.translate(None, COMMON), []).append((trigger, ready))
        self._notes = notes

    def whole(self, path: str, buffer: bytes, start: int, end: int) -> list[Match]:
        """Return the matches of a file that stands in one piece in a buffer."""
        if _is_binary(buffer, start, end):
            find = buffer.find
            near = [each for each in self._of_binaries if any(find(one, start, end) >= 0 for one in each[0].triggers)]
        else:
            near = self._near_text(buffer[start:end])
        found: list[Match] = []
        for pattern, regex in near:
            found += self._kept(Search(pattern, regex).matches(path, buffer[start:end], 0, last=True))
        return found

    def _near_text(self, text: bytes) -> list[Ready]:
        """Return the patterns of which a text has a literal; without its common letters, a third of it is searched."""
        rare = text.translate(None, COMMON)
        near: dict[int, Ready] = {}
        for hint, those in self._hints.items():
            if hint in rare:
                near |= {id(ready): ready for trigger, ready in those if trigger in text}
        return list(near.values())

    def parts(self, path: str, begin: tuple[bytes, int, int]) -> Parts:
        """Return what looks through a file that comes in pieces, of which the first is given."""
        return Parts(
            path, [Search(*each) for each in (self._of_binaries if _is_binary(*begin) else self._all)], self._kept
        )

    def _kept(self, matches: Iterator[Match]) -> list[Match]:
        return [each for each in matches if self._notes.matches()]
