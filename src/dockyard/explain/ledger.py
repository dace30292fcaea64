"""Digests of files, kept between builds: a file whose size, times and inode are as they were is not read again."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockyard.state import State

# A file that was written so shortly before it was read may be written again within the same tick of the clock.
FRESH_NS = 100_000_000
# Marks those: they are read once more the next time.
FRESH = " fresh"
UNREADABLE = "unreadable"


class Ledger:
    """Path to digest, of one context.

    Attributes:
        touched: Files that got another time or inode and kept their content.
    """

    def __init__(self, state: State, context: Path) -> None:
        self._state = state
        self._root = f"{context}{os.sep}"
        name = hashlib.sha256(os.fsencode(context)).hexdigest()[:12]
        self._name = f"explain/hashes-{name}.txt"
        self._known = self._read()
        self._new: dict[str, str] = {}
        self._begun = time.time_ns()
        self.touched: set[str] = set()

    def _read(self) -> dict[str, str]:
        """Return what was kept; a damaged file is as good as none."""
        try:
            known = json.loads((self._state.folder / self._name).read_bytes())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def digest(self, path: str, found: os.stat_result) -> str:
        """Return the digest of a file's content.

        Args:
            path: Below the context, with slashes.
            found: What `stat` says of it.
        """
        stamp = f"{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}:{found.st_ino} "
        known = self._known.get(path, "")
        same = known.startswith(stamp)
        if same and not known.endswith(FRESH):
            self._new[path] = known
            return known[len(stamp) :]
        digest = _digest(self._root + path)
        if not same and known.partition(" ")[2].removesuffix(FRESH) == digest:
            self.touched.add(path)
        fresh = max(found.st_mtime_ns, found.st_ctime_ns) > self._begun - FRESH_NS
        self._new[path] = f"{stamp}{digest}{FRESH if fresh or digest == UNREADABLE else ''}"
        return digest

    def keep(self) -> None:
        """Write what is known now; only of the files that were asked for."""
        if self._new != self._known:
            self._state.write(self._name, json.dumps(self._new, separators=(",", ":")).encode(), mode=0o600)


def _digest(path: str) -> str:
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return UNREADABLE
