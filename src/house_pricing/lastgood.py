"""The last good copy of a registry's model, on a volume, for the day when the registry is down at start.

Per server, name and alias there is one small JSON file that names the digest, and the model file beside it. The
JSON file is replaced last and at once: a copy is the old one or the new one, never half of each.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from house_pricing import model

if TYPE_CHECKING:
    from house_pricing.settings import Settings


class LastGood:
    """Where the copy of what these settings ask for lies; another server, name or alias has another.

    Args:
        settings: Name the folder, the server, the model and its alias.
    """

    def __init__(self, settings: Settings) -> None:
        asked = (settings.mlflow_tracking_uri, settings.model_name, settings.model_alias)
        self._folder = Path(settings.model_cache_dir)
        self._key = hashlib.sha256("\n".join(asked).encode()).hexdigest()[:16]
        self._note = self._folder / f"{self._key}.json"

    def save(self, content: bytes, served: model.Model) -> None:
        """Keep a model that has passed its self-test.

        Raises:
            OSError: The folder cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        kept = self._file(served.sha256)
        _replace(kept, content)
        note = {"sha256": served.sha256, "source": served.source, "model_version": served.contract.model_version}
        _replace(self._note, json.dumps(note).encode())
        for older in self._folder.glob(f"{self._key}-*.onnx"):
            if older != kept:
                older.unlink(missing_ok=True)

    def load(self, max_bytes: int) -> model.Model:
        """The copy, checked like any other model.

        Raises:
            ModelError: There is none, or it is not what it was.
        """
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            sha256, source = str(note["sha256"]), str(note["source"])
            path = self._file(sha256)
            with path.open("rb") as file:
                content = file.read(max_bytes + 1)
        except FileNotFoundError:
            raise model.ModelError("there is no last good copy", where=str(self._folder)) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            where, cause = str(self._folder), type(error).__name__
            raise model.ModelError("the last good copy cannot be read", where=where, cause=cause) from error
        if len(content) > max_bytes:
            raise model.ModelError(model.TOO_LARGE, where=str(path), cause=str(max_bytes))
        return model.from_bytes(content, sha256, f"last good copy of {source}")

    def _file(self, sha256: str) -> Path:
        if not re.fullmatch("[0-9a-f]{64}", sha256):
            raise ValueError("that is no digest")
        return self._folder / f"{self._key}-{sha256[:12]}.onnx"


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
