"""The project's own files that rules look at; a file that no setting names is missing, and says which setting it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.audit.evidence import Missing
from dockyard.audit.gather import Source
from dockyard.audit.read import Sources, TextFile
from dockyard.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dockyard.settings import Settings

# The path of an SBOM that is in no file.
MADE = "the SBOM of this image"


def sources(settings: Settings, *, listed: Callable[[], object] | None = None) -> tuple[Source, ...]:
    """Return where the project's files come from.

    Args:
        settings: Name them.
        listed: Makes an SBOM of the image where none is named.
    """
    root, audit = settings.root, settings.audit

    def source(name: str, take: Callable[[], object]) -> Source:
        return Source(names=(name,), label=f"reading {NAMED[name]}", take=lambda: {name: take()})

    return (
        source("lock", lambda: _one(root, audit.lock, "lock")),
        source("stack", lambda: _one(root, audit.stack, "stack")),
        source("sbom", listed if listed and not audit.sbom else lambda: _one(root, audit.sbom, "sbom")),
        source("manifests", lambda: _matching(root, audit.manifests, "manifests")),
        source("workflows", lambda: _workflows(root, audit.workflows)),
        source("sources", lambda: _python(root, audit.sources)),
    )


NAMED = {
    "lock": "the lock",
    "stack": "the stack",
    "sbom": "the SBOM",
    "manifests": "the manifests",
    "workflows": "the workflows",
    "sources": "the sources",
}


def _unset(key: str) -> Missing:
    return Missing(f"`{key}` is not set in [tool.dockyard.audit].")


def _one(root: Path, name: str, key: str) -> TextFile | Missing:
    return _text(root, root / name, key) if name else _unset(key)


def _matching(root: Path, patterns: tuple[str, ...], key: str) -> tuple[TextFile, ...] | Missing:
    found = sorted({path for pattern in patterns for path in root.glob(pattern) if path.is_file()})
    if not found:
        return Missing(f"No file matches `{key}` of [tool.dockyard.audit].") if patterns else _unset(key)
    return tuple(_text(root, path, key) for path in found)


def _workflows(root: Path, folder: str) -> tuple[TextFile, ...] | Missing:
    found = [path for path in sorted((root / folder).glob("*.y*ml")) if path.is_file()]
    return tuple(_text(root, path, "workflows") for path in found) or Missing(f"There is no workflow in {folder}.")


def _python(root: Path, folder: str) -> Sources | Missing:
    if not folder:
        return _unset("sources")
    found = sorted((root / folder).rglob("*.py"))
    files = {path.relative_to(root / folder).as_posix(): _text(root, path, "sources").text for path in found}
    return Sources(folder=folder, files=files) if files else Missing(f"There is no Python file in {folder}.")


def _text(root: Path, path: Path, key: str) -> TextFile:
    """Read a file; raise SettingsError if it cannot be."""
    try:
        return TextFile(path=path.relative_to(root).as_posix(), text=path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise SettingsError(
            f"{path} cannot be read.", f"`{key}` of [tool.dockyard.audit] names it: {error}", "Correct it."
        ) from None
