"""Projects to try on a real engine: a tiny one that starts at once, and a copy of this repository."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from registries import Registry, program
from second import second_engine
from serving import BASE, CHECK, KEY, docker, folder_of, swept

from dockyard import machine, pipeline
from support import opened, remove_labelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from second import SecondEngine

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
def second(tiny: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecondEngine]:
    """A second engine that has the base image; both doors lead to it."""
    base = machine.base_for(tiny.settings.python, tiny.wanted, tiny.engine).reference
    with second_engine(base) as started:
        monkeypatch.setenv("DOCKER_HOST", started.address)
        yield started


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


@pytest.fixture(scope="session")
def registry_server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of Debian's registry."""
    return program("docker-registry", "docker-registry", tmp_path_factory.mktemp("registry"))


@pytest.fixture
def registry(registry_server: Path, tmp_path: Path) -> Iterator[Registry]:
    """An empty registry on loopback."""
    running = Registry(registry_server, tmp_path / "registry")
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="session")
def cosign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the real cosign and of a pair of keys; another pair is in `others`."""
    made = program("cosign", "cosign", tmp_path_factory.mktemp("cosign"))
    folder = tmp_path_factory.mktemp("keys")
    for each in (folder, folder / "others"):
        each.mkdir(exist_ok=True)
        environment = {**os.environ, "COSIGN_PASSWORD": "of-the-key"}
        subprocess.run([made, "generate-key-pair"], cwd=each, env=environment, check=True, capture_output=True)
    (folder / "cosign").symlink_to(made)
    return folder


@pytest.fixture(scope="session")
def images(engine: Engine) -> Iterator[str]:
    """Three images of one name that differ in a file; committed, which is quicker than three builds."""
    name = f"dockyard-test-{secrets.token_hex(4)}"
    label = f"LABEL dev.dockyard.project={name}"
    for tag in ("one", "two", "three"):
        script = f"mkdir -p /app/logs && chown 1000:1000 /app/logs && echo {tag} > /app/greeting"
        made = docker("create", "--label", f"dev.dockyard.project={name}", BASE, "sh", "-c", script).strip()
        docker("start", "--attach", made)
        docker("cp", str(TINY / "service.py"), f"{made}:/app/service.py")
        changes = ["USER 1000:1000", f"{label} org.opencontainers.image.version={tag}"]
        changes += [f'{CHECK}"/app/service.py", "check"]', 'CMD ["python3", "/app/service.py"]']
        docker("commit", *(word for each in changes for word in ("--change", each)), made, f"{name}:{tag}")
        docker("rm", "-f", made)
    yield name
    remove_labelled(engine, name)


@pytest.fixture
def service(tmp_path: Path, images: str, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project whose images are there, and that runs nothing yet."""
    monkeypatch.setenv("API_KEY", KEY)
    project = opened(folder_of(tmp_path / "service", images), engine)
    yield project
    swept(project, engine)
