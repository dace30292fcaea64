"""Projects to try on a real engine: a tiny one that starts at once, and a copy of this repository."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dockyard import pipeline
from support import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockyard.engines import Engine
    from dockyard.pipeline import Project

REPOSITORY = Path(__file__).parents[2]
TINY = REPOSITORY / "tests" / "data" / "tiny"
COPIED = ("Dockerfile", ".dockerignore", "pyproject.toml", "config", "requirements", "src/house_pricing")
PYPROJECT = """
[project]
name = "{name}"
version = "1.0"

[tool.dockyard.run]
name = "{name}"
port = 0
wait = 30
watch = 0

[tool.dockyard.dev]
name = "{name}-dev"
port = 0

[tool.dockyard.smoke]
golden = "golden.json"
"""


@pytest.fixture
def tiny(tmp_path: Path, unique: str, engine: Engine) -> Iterator[Project]:
    """A project of its own name, not built yet; all it makes is removed afterwards."""
    folder = tmp_path / "tiny"
    shutil.copytree(TINY, folder)
    (folder / "pyproject.toml").write_text(PYPROJECT.format(name=unique), "utf-8")
    project = opened(folder, engine)
    yield project
    list(pipeline.clean(project, images=True))


@pytest.fixture
def built(tiny: Project) -> Project:
    """The tiny project, built."""
    pipeline.build_image(tiny, progress="quiet")
    return tiny


@pytest.fixture
def changed(tiny: Project) -> Callable[..., Project]:
    """Return the tiny project with other settings, given as dotted keys."""
    return lambda **arguments: opened(
        tiny.settings.root, tiny.engine, {key.replace("__", "."): value for key, value in arguments.items()}
    )


@pytest.fixture
def repository(tmp_path: Path, unique: str, engine: Engine) -> Iterator[Project]:
    """A copy of this repository under an image name of its own, not built yet."""
    folder = tmp_path / "repository"
    folder.mkdir()
    for name in COPIED:
        source, target = REPOSITORY / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    project = opened(folder, engine, {"image": unique, "run.name": unique, "run.port": 0, "run.watch": 0})
    yield project
    list(pipeline.clean(project, images=True))
