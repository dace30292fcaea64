"""A base that no registry is known to have, lent to a builder with a store of its own as an OCI layout."""

from __future__ import annotations

import json
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.engines import Engine

INDEX = "index.json"


@contextmanager
def lent(engine: Engine, reference: str) -> Iterator[str]:
    """Yield where buildx finds an image of the engine for as long as the block lasts, as `--build-context` takes it.

    Raises:
        EngineError: The engine saves images in the form of older ones.
    """
    with tempfile.TemporaryDirectory(prefix="dockyard-") as folder:
        archive, layout = Path(folder, "base.tar"), Path(folder, "layout")
        with archive.open("xb") as file:
            for chunk in engine.daemon.save(reference):
                file.write(chunk)
        with tarfile.open(archive) as saved:
            saved.extractall(layout, filter="data")
        archive.unlink()
        yield f"oci-layout://{layout}@{_digest(layout, reference)}"


def _digest(layout: Path, reference: str) -> str:
    """Return the digest of the one image of a layout."""
    index = layout / INDEX
    if not index.is_file():
        raise EngineError(
            f"{reference} cannot be lent to the builder.",
            "This engine saves images without an OCI layout; Docker 25 is the first that writes one.",
            "Take the engine's own builder, `--builder default`, or a newer engine.",
        )
    return str(json.loads(index.read_text("utf-8"))["manifests"][0]["digest"])
