"""An engine whose disk is full."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from second import Operator, SecondEngine, require_engines
from serving import folder_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.operations


@pytest.fixture
def small(images: str, tmp_path: Path) -> Iterator[Operator]:
    """Somebody who serves release one from an engine whose disk holds little more than that."""
    require_engines()
    engine = SecondEngine()
    disk = engine.folder / "data"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g", "none", str(disk)], check=True)
    try:
        engine.start()
        engine.load(*(f"{images}:{tag}" for tag in ("one", "two")))
        operator = Operator(engine, folder_of(tmp_path / "service", images))
        started = operator.types("run", "--prod")
        assert started.returncode == 0, started.stderr
        yield operator
    finally:
        engine.remove()


def test_no_space_to_replace(small: Operator) -> None:
    """The replace is refused with the engine's own words, exit code 3; the old one serves on, and later it works."""
    before, _ = small.status()
    filler = small.engine.folder / "data" / "filler"
    with filler.open("wb", buffering=0) as stream, suppress(OSError):
        while stream.write(b"x" * 4096):
            pass
    refused = small.types("run", "--prod", "--tag", "two")
    assert refused.returncode == 3, refused.stderr
    assert "no space left on device" in refused.stderr
    now, _ = small.status()
    assert (now["id"], now["health"]) == (before["id"], "healthy")
    filler.unlink()
    done = small.types("run", "--prod", "--tag", "two")
    assert done.returncode == 0, done.stderr
    assert small.status()[0]["id"] != before["id"]
