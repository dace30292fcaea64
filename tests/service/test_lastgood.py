"""The last good copy: whole or not there, and never somebody else's."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from house_pricing import model
from house_pricing.lastgood import LastGood
from house_pricing.settings import Settings

from .conftest import SHIPPED, edited

LIMIT = 10_000_000


def kept(folder: Path, **settings: Any) -> LastGood:
    given = {"mlflow_tracking_uri": "http://mlflow", "model_cache_dir": str(folder), **settings}
    return LastGood(Settings(**given))


def save(copy: LastGood, content: bytes) -> model.Model:
    served = model.from_bytes(content, hashlib.sha256(content).hexdigest(), "registry x@y (version 1)")
    copy.save(content, served)
    return served


def test_copy_comes_back_as_it_was(tmp_path: Path, shipped: bytes) -> None:
    """The folder is made, and the copy says whose it is."""
    copy = kept(tmp_path / "new" / "folder")
    served = save(copy, shipped)
    loaded = copy.load(LIMIT)
    assert (loaded.sha256, loaded.contract) == (served.sha256, served.contract)
    assert loaded.source == "last good copy of registry x@y (version 1)"


@pytest.mark.parametrize(
    "other", [{"model_alias": "other"}, {"model_name": "other"}, {"mlflow_tracking_uri": "http://other"}]
)
def test_copy_of_another_is_not_taken(tmp_path: Path, shipped: bytes, other: dict[str, str]) -> None:
    """Another alias, name or server has no copy until it had a good model itself."""
    save(kept(tmp_path), shipped)
    with pytest.raises(model.ModelError, match="there is no last good copy"):
        kept(tmp_path, **other).load(LIMIT)


def test_newer_copy_takes_the_place(tmp_path: Path, shipped: bytes) -> None:
    """One model a key stays on the volume, however often it changes; others' copies are left alone."""
    save(kept(tmp_path, model_alias="other"), shipped)
    copy = kept(tmp_path)
    for number in ("2", "3"):
        save(copy, edited(shipped, lambda contract, number=number: contract.update(version=number)))
    assert copy.load(LIMIT).contract.version == "3"
    assert kept(tmp_path, model_alias="other").load(LIMIT).contract.version == "1.0.0"
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".json", ".onnx", ".onnx"]


def test_save_that_breaks_off_leaves_the_old_copy(
    tmp_path: Path, shipped: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full in the middle costs nothing, and no half file stays."""
    copy = kept(tmp_path)
    save(copy, shipped)
    real = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.suffix == ".json":
            raise OSError(28, "No space left on device", str(target))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        save(copy, edited(shipped, lambda contract: contract.update(version="2")))
    assert copy.load(LIMIT).contract.version == "1.0.0"
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": "../../etc/passwd", "source": ""}', "\xff"])
def test_note_that_makes_no_sense_is_refused(tmp_path: Path, shipped: bytes, text: str) -> None:
    """What lies on a volume is not believed: a reason, never another file."""
    copy = kept(tmp_path)
    save(copy, shipped)
    (note,) = tmp_path.glob("*.json")
    note.write_bytes(text.encode("latin-1"))
    with pytest.raises(model.ModelError, match="cannot be read"):
        copy.load(LIMIT)


def test_changed_or_large_copy_is_refused(tmp_path: Path, shipped: bytes) -> None:
    """Digest and size are looked at, as for any other file."""
    copy = kept(tmp_path)
    save(copy, shipped)
    with pytest.raises(model.ModelError, match="MODEL_MAX_BYTES: 1000"):
        copy.load(1000)
    (file,) = tmp_path.glob("*.onnx")
    file.write_bytes(SHIPPED.read_bytes()[:-1] + b"!")
    with pytest.raises(model.ModelError, match="the file was changed"):
        copy.load(LIMIT)
    (note,) = tmp_path.glob("*.json")
    assert json.loads(note.read_text())["model_version"] == "french-listings-1.0.0"
