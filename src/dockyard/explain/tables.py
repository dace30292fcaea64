"""Two tables of files -> what changed between them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from dockyard.context import Ignore
from dockyard.engines.dockerignore import read_pattern
from dockyard.explain.cause import Cause, Kind
from dockyard.explain.entries import FILE, LINK, Entry, read_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

MOST_COMPARED = 20


def ignore_of(lines: Sequence[str]) -> Ignore:
    """Return the .dockerignore that had these lines."""
    found = (read_pattern(line, number) for number, line in enumerate(lines, 1))
    return Ignore(patterns=tuple(each for each in found if each))


class Files:
    """Compares what two builds took.

    Args:
        before: The older build's .dockerignore.
        after: The newer build's.
        text: Returns a file's text by its digest, or None.
    """

    def __init__(self, before: Ignore, after: Ignore, text: Callable[[str], str | None]) -> None:
        self._before = before
        self._after = after
        self._text = text

    def changes(self, old: Mapping[str, str], new: Mapping[str, str]) -> list[Cause]:
        """Return what changed, one cause for each file."""
        gone = {name: read_entry(text) for name, text in old.items() if name not in new}
        came = {name: read_entry(text) for name, text in new.items() if name not in old}
        kept = sorted(name for name, text in new.items() if old.get(name, text) != text)
        changed = [self._changed(name, read_entry(old[name]), read_entry(new[name]), index < MOST_COMPARED)
                   for index, name in enumerate(kept)]  # fmt: skip
        renamed = list(_renamed(gone, came))
        others = [self._came(name, entry) for name, entry in sorted(came.items())]
        others += [self._gone(name, entry) for name, entry in sorted(gone.items())]
        return [*changed, *renamed, *others]

    def _changed(self, name: str, old: Entry, new: Entry, compared: bool) -> Cause:
        if LINK in (new.kind, old.kind):
            return Cause(kind=Kind.LINK, subject=name, before=_target(old), after=_target(new))
        if old.content == new.content:
            return Cause(kind=Kind.MODE, subject=name, before=f"{old.mode:o}", after=f"{new.mode:o}")
        plus, minus = self._lines(old, new) if compared else (None, None)
        modes = (f"{old.mode:o}", f"{new.mode:o}") if old.mode != new.mode else ("", "")
        return Cause(
            kind=Kind.CONTENT, subject=name, before=modes[0], after=modes[1], size=new.size, plus=plus, minus=minus
        )

    def _lines(self, old: Entry, new: Entry) -> tuple[int | None, int | None]:
        """Return how many lines came and went, where both texts are known."""
        before, after = self._text(old.content), self._text(new.content)
        if before is None or after is None:
            return None, None
        matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
        codes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
        return sum(code[4] - code[3] for code in codes), sum(code[2] - code[1] for code in codes)

    def _came(self, name: str, entry: Entry) -> Cause:
        """A file that is new, or that an older .dockerignore kept out."""
        deciding = self._before.deciding(name) if name else None
        if deciding and not deciding.exception:
            now = self._after.deciding(name)
            return Cause(kind=Kind.LET_IN, subject=name, size=entry.size, before=deciding.text,
                         after=now.text if now else "", line=now.line if now else 0)  # fmt: skip
        return Cause(kind=Kind.ADDED, subject=name, size=entry.size)

    def _gone(self, name: str, entry: Entry) -> Cause:
        deciding = self._after.deciding(name) if name else None
        if deciding and not deciding.exception:
            return Cause(kind=Kind.KEPT_OUT, subject=name, size=entry.size, after=deciding.text, line=deciding.line)
        return Cause(kind=Kind.DELETED, subject=name, size=entry.size)


def _renamed(gone: dict[str, Entry], came: dict[str, Entry]) -> Iterator[Cause]:
    """Yield the files that went and came back under another name, and take them out of both."""
    names = {entry: name for name, entry in gone.items() if entry.kind == FILE}
    for name, entry in list(came.items()):
        before = names.pop(entry, None)
        if before is not None:
            del gone[before], came[name]
            yield Cause(kind=Kind.RENAMED, subject=name, before=before, after=name, size=entry.size)


def _target(entry: Entry) -> str:
    return entry.content if entry.kind == LINK else f"a {entry.kind}"
