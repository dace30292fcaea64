"""What builds took, kept beside their records: tables of files by digest, texts of small files, and a salt."""

from __future__ import annotations

import hmac
import json
import secrets
import zlib
from typing import TYPE_CHECKING

from dockyard.explain.entries import EDITED, FILE, read_entry
from dockyard.state import PRIVATE

if TYPE_CHECKING:
    from pathlib import Path

    from dockyard.explain.entries import Taken
    from dockyard.state import State

TABLES, TEXTS, SALT = "explain/tables", "explain/texts", "explain/salt"
MOST_TABLE_BYTES = 64_000_000
MOST_TEXTS = 2_000
MOST_TEXT_BYTES = 64_000
SALT_BYTES = 32


class Store:
    """The side files of a project's records; all of it can be lost, and then less can be told."""

    def __init__(self, state: State) -> None:
        self._state = state

    def keep(self, taken: Taken, context: Path) -> None:
        """Keep a table, and the texts of the small files in it, unless they are there."""
        name = f"{TABLES}/{taken.digest}"
        path = self._state.folder / name
        if path.is_file():
            path.touch()
            return
        content = zlib.compress(json.dumps(dict(taken.entries), separators=(",", ":")).encode(), 1)
        self._state.write(name, content, mode=PRIVATE)
        self._keep_texts(taken, context)

    def _keep_texts(self, taken: Taken, context: Path) -> None:
        """Keep texts, so that a later build can say how many lines changed."""
        folder = self._state.folder / TEXTS
        known = {each.name for each in folder.iterdir()} if folder.is_dir() else set()
        for name, text in list(taken.entries.items())[:MOST_TEXTS]:
            entry = read_entry(text)
            if entry.kind != FILE or entry.size > MOST_TEXT_BYTES or entry.content in known | {EDITED}:
                continue
            try:
                content = (context / name).read_bytes()
            except OSError:
                continue
            if b"\0" not in content:
                self._state.write(f"{TEXTS}/{entry.content}", zlib.compress(content, 1), mode=PRIVATE)
                known.add(entry.content)

    def prune(self) -> None:
        """Remove the oldest tables and texts beyond their caps; the newest one stays, however large."""
        for kind, most, weigh in ((TABLES, MOST_TABLE_BYTES, True), (TEXTS, MOST_TEXTS, False)):
            folder = self._state.folder / kind
            if not folder.is_dir():
                continue
            found = [(path.stat(), path) for path in folder.iterdir()]
            newest_first = sorted(found, key=lambda pair: pair[0].st_mtime_ns, reverse=True)
            total = 0
            for index, (facts, path) in enumerate(newest_first):
                total += facts.st_size if weigh else 1
                if total > most and index:
                    path.unlink(missing_ok=True)

    def table(self, digest: str) -> dict[str, str] | None:
        """Return a table's entries, or None if it is not kept any more."""
        try:
            found = json.loads(zlib.decompress((self._state.folder / TABLES / digest).read_bytes()))
        except (OSError, ValueError, zlib.error):
            return None
        return found if isinstance(found, dict) else None

    def text(self, digest: str) -> str | None:
        """Return a file's text by the digest of its content, or None if it is not kept."""
        try:
            return zlib.decompress((self._state.folder / TEXTS / digest).read_bytes()).decode("utf-8")
        except (OSError, ValueError, zlib.error):
            return None

    def salted(self, value: bytes) -> str:
        """Return what a secret can be recognised by, on this machine alone."""
        salt = self._state.read_text(SALT)
        if not salt:
            salt = secrets.token_hex(SALT_BYTES)
            self._state.write(SALT, salt.encode(), mode=PRIVATE)
        return hmac.new(salt.encode(), value, "sha256").hexdigest()[:32]
