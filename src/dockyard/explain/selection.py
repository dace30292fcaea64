"""COPY --exclude and --parents -> which of the files below a source it takes.

BuildKit matches both as it matches .dockerignore, from the source on: of two patterns the later one decides, a folder
stands for all in it, and a source that is itself a file is not excluded.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.context import Ignore
from dockyard.engines.dockerignore import read_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

PIVOT = "/./"
NOTHING = Ignore()


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What an instruction takes of a source.

    Attributes:
        only: One of them has to match; none means everything.
        but: Those that it leaves out.
    """

    only: Ignore = NOTHING
    but: Ignore = NOTHING

    def takes(self, path: str) -> bool:
        """Whether a path below the source is taken."""
        return self._wanted(path) and self.but.admits(path)

    def enters(self, folder: str) -> bool:
        """Whether something in a folder may be taken."""
        wanted = self._wanted(folder) or any(each.reaches_below(folder) for each in self.only.patterns)
        back = (each for each in self.but.patterns if each.exception)
        return wanted and (self.but.admits(folder) or any(each.reaches_below(folder) for each in back))

    def _wanted(self, path: str) -> bool:
        return not self.only.patterns or self.only.deciding(path) is not None


EVERYTHING = Selection()


def cleaned(source: str) -> str:
    """Return a source of the context without what changes nothing in it."""
    return posixpath.normpath(f"/{source}").strip("/")


def split(source: str) -> tuple[str, str]:
    """Return where a source of --parents begins, and what is matched below that; `/./` stands between them."""
    folder, pivot, pattern = source.partition(PIVOT)
    return (cleaned(folder), cleaned(pattern)) if pivot else ("", cleaned(source))


def selected(source: str, exclude: Sequence[str], *, parents: bool) -> tuple[str, Selection]:
    """Return the folder, file or wildcard that is walked for a source, and what is taken of it.

    Args:
        source: As the instruction names it.
        exclude: The values of --exclude; what is no pattern is left to the build, which will refuse it.
        parents: Whether --parents is given.
    """
    folder, pattern = split(source) if parents else (cleaned(source), "")
    if not (exclude or pattern):
        return folder, EVERYTHING
    return folder, Selection(only=_patterns([pattern]), but=_patterns(exclude))


def _patterns(lines: Sequence[str]) -> Ignore:
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(read_pattern(line, number))
        except ValueError:
            continue
    return Ignore(patterns=tuple(each for each in found if each))
