"""Images made by hand, from paths and bytes."""

from __future__ import annotations

import hashlib
import posixpath
from typing import TYPE_CHECKING, Any

from dockyard.image import Entry, Image

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST = f"sha256:{'a1' * 32}"
CONFIG = f"sha256:{'c2' * 32}"
ENV = ["PATH=/opt/venv/bin:/usr/bin"]


def entry(path: str, **changed: Any) -> Entry:
    """A file of root's."""
    facts = {
        "path": path, "kind": "file", "mode": 0o644, "uid": 0, "gid": 0, "size": 1, "mtime": 0,
        "target": "", "capability": b"", "layer": 0, "sha256": "",
    }  # fmt: skip
    return Entry(**{**facts, **changed})


def image(files: Mapping[str, bytes], *, changed: Mapping[str, dict[str, Any]] | None = None, **facts: Any) -> Image:
    """An image with these files and the folders that lead to them; `changed` has fields of single entries."""
    found: dict[str, Entry] = {}
    for path, content in files.items():
        mode = 0o755 if "/bin/" in path else 0o644
        found[path] = entry(path, mode=mode, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        folder = posixpath.dirname(path)
        while folder not in found:
            found[folder] = entry(folder, kind="directory", mode=0o755)
            folder = posixpath.dirname(folder)
    for path, fields in (changed or {}).items():
        found[path] = entry(path, **({} if path not in found else vars_of(found[path])) | fields)
    told = {
        "reference": "shop:prod", "id": CONFIG, "digest": MANIFEST,
        "config": {"architecture": "amd64", "config": {"Cmd": ["python", "-m", "shop"], "Env": ENV}},
        "history": (), "layers": (), "files": found, "contents": dict(files), "kept": {},
    }  # fmt: skip
    return Image(**{**told, **facts})


def vars_of(one: Entry) -> dict[str, Any]:
    """The fields of an entry, without its path."""
    return {name: getattr(one, name) for name in Entry.__slots__ if name != "path"}
