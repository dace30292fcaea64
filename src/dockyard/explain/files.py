"""Context + .dockerignore -> the files that an instruction takes."""

from __future__ import annotations

import os
import re
import stat
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.engines import wildcards
from dockyard.explain.entries import EDITED, FILE, FOLDER, LINK, Rows, Taken
from dockyard.explain.selection import EVERYTHING, Selection, cleaned

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dockyard.context import Ignore
    from dockyard.engines.dockerignore import Pattern
    from dockyard.explain.ledger import Ledger

# What is no plain text in a pattern of .dockerignore; an escape makes the rest of it unclear.
SPECIAL = re.compile(r"\\.*|\[[^\]]*\]?|[*?]+/?", re.DOTALL)
MOST_LINKS = 40
PERMISSIONS = 0o7777


class Context:
    """The files that a build can copy; each folder is read once.

    Args:
        root: The context.
        ignore: What is kept from it.
        ledger: Digests of files.
        edited: Files that are taken for edited, whatever they hold.

    Attributes:
        used: Those of them that were asked for.
    """

    def __init__(self, root: Path, ignore: Ignore, ledger: Ledger, *, edited: Iterable[str] = ()) -> None:
        self._root = str(root)
        self._ignore = ignore
        self._ledger = ledger
        self._edited = frozenset(edited)
        self.used: set[str] = set()
        self._exceptions = [each for each in ignore.patterns if each.exception]
        # A path that holds the plain part of no pattern is matched by none: most are decided so.
        plain = (max(SPECIAL.split(each.cleaned), key=len) for each in ignore.patterns)
        self._may_match = re.compile("|".join(map(re.escape, plain)) or "(?!)").search
        self._taken: dict[tuple[str, Selection], Taken] = {}

    def take(self, source: str, selection: Selection = EVERYTHING) -> Taken:
        """Return what a source stands for: a file, a folder with all in it, or what wildcards match.

        Args:
            source: Below the context.
            selection: What is taken of it.
        """
        path = cleaned(source)
        if (path, selection) not in self._taken:
            matched = self._matched(path) if wildcards.wild(path) else [path]
            rows = Rows(selection=selection)
            for each in matched:
                self._below(each, rows)
            self._taken[path, selection] = rows.sealed()
        return self._taken[path, selection]

    def touched(self, taken: Taken) -> list[str]:
        """Return those files of a set that got another time and kept their content."""
        return sorted(self._ledger.touched & taken.entries.keys()) if self._ledger.touched else []

    def _below(self, path: str, rows: Rows) -> None:
        """Add a path and all that is in it, under the names that the source gives them."""
        real = self._followed(path)
        deciding, above = self._decided(real)
        try:
            found = os.lstat(f"{self._root}/{real}" if real else self._root)
        except OSError:
            return
        if stat.S_ISDIR(found.st_mode):
            below = rows if real == path else Rows(selection=rows.selection)
            below.begin = f"{real}/" if real else ""
            self._walk(below.begin, above, below)
            if real != path:
                rows.entries |= {path + name[len(real) :]: entry for name, entry in below.entries.items()}
                rows.folders += below.folders
            rows.entries[path] = FOLDER
            rows.folders.append(f"{found.st_mode:o} {path}")
        elif stat.S_ISREG(found.st_mode) and (deciding is None or deciding.exception):
            rows.entries[path] = self._file(real, found)

    def _decided(self, path: str) -> tuple[Pattern | None, tuple[bool, ...]]:
        """Return which pattern decides about a path, and which ones match it."""
        deciding: Pattern | None = None
        above: tuple[bool, ...] = ()
        parts = path.split("/") if path else []
        for depth in range(1, len(parts) + 1):
            deciding, above = self._ignore.decide("/".join(parts[:depth]), above)
        return deciding, above

    def _walk(self, prefix: str, above: tuple[bool, ...], rows: Rows) -> None:
        """Add what a folder holds and is not kept from the build."""
        decide, may_match = self._ignore.decide, self._may_match
        asked = any(above)
        try:
            entries = list(os.scandir(f"{self._root}/{prefix}"))
        except OSError:
            return
        for each in entries:
            path = prefix + each.name
            admitted, matched = True, above
            if asked or may_match(path):
                deciding, matched = decide(path, above)
                admitted = deciding is None or deciding.exception
            if each.is_dir(follow_symlinks=False):
                if rows.enters(path) and (admitted or any(other.reaches_below(path) for other in self._exceptions)):
                    self._add_folder(each, path, matched, rows, admitted=admitted)
            elif admitted and rows.takes(path):
                self._add(each, path, rows)

    def _add_folder(
        self,
        each: os.DirEntry[str],
        path: str,
        matched: tuple[bool, ...],
        rows: Rows,
        *,
        admitted: bool,
    ) -> None:
        """Add a folder; one that is kept or left out comes along if something in it does not stay out."""
        at = len(rows.entries)
        self._walk(f"{path}/", matched, rows)
        if (admitted and rows.takes(path)) or len(rows.entries) > at:
            rows.entries[path] = FOLDER
            rows.folders.append(f"{each.stat(follow_symlinks=False).st_mode:o} {path}")

    def _add(self, each: os.DirEntry[str], path: str, rows: Rows) -> None:
        """Add a file or a link; what is neither is not sent."""
        found = each.stat(follow_symlinks=False)
        if stat.S_ISREG(found.st_mode):
            rows.entries[path] = self._file(path, found)
        elif stat.S_ISLNK(found.st_mode):
            rows.entries[path] = f"{LINK} {Path(each.path).readlink()}"

    def _file(self, path: str, found: os.stat_result) -> str:
        content = EDITED if path in self._edited else self._ledger.digest(path, found)
        if content == EDITED:
            self.used.add(path)
        return f"{FILE} {found.st_mode & PERMISSIONS:o} {found.st_size} {content}"

    def _followed(self, path: str) -> str:
        """Return where a source's own links lead, within the context; those within a folder stay links."""
        done: list[str] = []
        waiting = path.split("/")[::-1] if path else []
        for _ in range(MOST_LINKS + len(waiting)):
            if not waiting:
                break
            part = waiting.pop()
            if part in ("", "."):
                continue
            if part == "..":
                done = done[:-1]
                continue
            whole = "/".join([*done, part])
            try:
                target = str(Path(self._root, whole).readlink())
            except OSError:
                done.append(part)
                continue
            done = [] if target.startswith("/") else done
            waiting += target.split("/")[::-1]
        return "/".join(done)

    def _matched(self, pattern: str) -> list[str]:
        """Return the paths that a pattern matches; a star does not match a slash."""
        parts = pattern.split("/")
        plain = list(takewhile(lambda part: not wildcards.wild(part), parts))
        found = ["/".join(plain)]
        for wanted in map(wildcards.wildcard, parts[len(plain) :]):
            found = [
                f"{folder}/{name}".lstrip("/")
                for folder in found
                for name in self._names(folder)
                if wanted.fullmatch(name)
            ]
        return sorted(found)

    def _names(self, folder: str) -> list[str]:
        try:
            return [each.name for each in Path(self._root, folder).iterdir()]
        except OSError:
            return []
