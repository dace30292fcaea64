"""What an instruction takes of the context, as BuildKit's content hash sees it.

It sees name, kind, mode and content of a file, and where a link points; times and owners it does not see. The mode of a
folder it sees only where it gets that folder for the first time, so that it is kept apart here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard.explain.selection import EVERYTHING, Selection

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE, FOLDER, LINK = "file", "folder", "link"
# The content that `--what-if` gives to a file that it takes for edited.
EDITED = "edited"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file, folder or link.

    Attributes:
        mode: The permission bits of a file.
        size: In bytes, of a file.
        content: The digest of a file; where a link points.
    """

    kind: str
    mode: int = 0
    size: int = 0
    content: str = ""


def read_entry(text: str) -> Entry:
    """Read one entry of `Taken.entries`, which are texts: a hundred thousand objects would cost a second."""
    kind, _, rest = text.partition(" ")
    if kind == LINK:
        return Entry(kind=kind, content=rest)
    if kind == FOLDER:
        return Entry(kind=kind)
    mode, size, content = rest.split(" ")
    return Entry(kind=kind, mode=int(mode, 8), size=int(size), content=content)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What one source of an instruction stands for.

    Attributes:
        digest: Of all entries.
        folders: Of the modes of folders.
        entries: By their paths below the context; `read_entry` reads them.
    """

    digest: str
    folders: str
    entries: Mapping[str, str] = field(repr=False)


@dataclass(kw_only=True)
class Rows:
    """What is found while a source is walked.

    Attributes:
        selection: What is taken of it.
        begin: The source, with a slash at its end.
    """

    selection: Selection = EVERYTHING
    begin: str = ""
    entries: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)

    def takes(self, path: str) -> bool:
        """Whether a path below the context is taken."""
        return self.selection is EVERYTHING or self.selection.takes(path.removeprefix(self.begin))

    def enters(self, folder: str) -> bool:
        """Whether something in a folder may be taken."""
        return self.selection is EVERYTHING or self.selection.enters(folder.removeprefix(self.begin))

    def sealed(self) -> Taken:
        """Return it as it is kept."""
        entries = dict(sorted(self.entries.items()))
        seen = "\n".join([f"{entry} {name}" for name, entry in entries.items()])
        return Taken(digest=_short(seen), folders=_short("\n".join(sorted(self.folders))), entries=entries)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]
