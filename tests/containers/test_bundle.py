"""An air gap on real engines: what one packs, another that has nothing and no network builds, to the same digest."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from second import second_engine

from conftest import PYPROJECT, REPOSITORY, opened
from dockyard import machine, pipeline
from dockyard.engines import Engine
from dockyard.engines.buildx import Buildx
from dockyard.engines.daemon import Daemon
from dockyard.errors import BuildError, EngineError
from dockyard.pipeline import BuildOptions
from dockyard.pipeline.bundle import BundleOptions, write_bundle
from dockyard.pipeline.bundle_signed import verified, write_signed
from dockyard.pipeline.offline import build_offline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from second import SecondEngine

    from dockyard.pipeline import Project

LOCK = (REPOSITORY / "requirements" / "service.txt").read_text("utf-8")
WHEEL = "annotated-doc"
DOCKERFILE = """\
ARG BASE_IMAGE
FROM scratch AS wheels
FROM ${BASE_IMAGE}
ENV PYTHONDONTWRITEBYTECODE=1
COPY lock.txt /lock.txt
RUN --mount=type=bind,from=wheels,target=/run/wheels \\
    --mount=type=secret,id=ca --mount=type=secret,id=index_url \\
    if [ -n "$(ls /run/wheels)" ]; then export PIP_NO_INDEX=1 PIP_FIND_LINKS=/run/wheels; fi; \\
    if [ -f /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \\
    if [ -f /run/secrets/index_url ]; then PIP_INDEX_URL=$(cat /run/secrets/index_url); export PIP_INDEX_URL; fi; \\
    python -m pip install --quiet --no-cache-dir --no-compile --require-hashes -r /lock.txt
"""


@pytest.fixture
def locked(tmp_path: Path, unique: str, engine: Engine) -> Iterator[Project]:
    """A project that installs one wheel of a lock, not built yet."""
    folder = tmp_path / "locked"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT.format(name=unique), "utf-8")
    (folder / "Dockerfile").write_text(DOCKERFILE, "utf-8")
    (folder / "lock.txt").write_text(re.search(rf"^{WHEEL}==.*\n(?: .*\n)+", LOCK, re.MULTILINE)[0], "utf-8")
    project = opened(folder, engine)
    yield project
    list(pipeline.clean(project, images=True))


# As somebody writes it by hand: the base by its name, requirements without hashes, an image by its digest.
PLAIN = """\
FROM scratch AS wheels
FROM python:3.12-slim-bookworm
ENV PYTHONDONTWRITEBYTECODE=1
COPY --from={tools} /tool /tool
COPY requirements.txt /
RUN --mount=type=bind,from=wheels,target=/run/wheels \\
    PIP_NO_INDEX=1 PIP_FIND_LINKS=/run/wheels python -m pip install --quiet --no-cache-dir -r requirements.txt
"""


@pytest.fixture
def plain(tmp_path: Path, unique: str, engine: Engine) -> Iterator[Project]:
    """A project with no lock, whose Dockerfile names its images itself, one of them by digest."""
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "tool").write_text(unique)
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY tool /tool\n")
    tools = f"{unique}-tools"
    list(engine.buildx.build(folder, file=folder / "Dockerfile", tags=[tools], provenance=False, load=True))
    named = f"{tools}:1@{engine.daemon.image(tools).digest}"
    (folder / "pyproject.toml").write_text(PYPROJECT.format(name=unique), "utf-8")
    (folder / "requirements.txt").write_text("idna>=3  # to be found\n")
    (folder / "Dockerfile").write_text(PLAIN.format(tools=named))
    project = opened(folder, engine)
    yield project
    engine.buildx.remove_image(tools)
    list(pipeline.clean(project, images=True))


@pytest.fixture
def _no_toolkit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the toolkit out, which takes the longest to fetch; `test_toolkit` has it."""
    monkeypatch.setattr("dockyard.bundle.toolkit.runs_on", lambda _: False)


@pytest.fixture
def alone() -> Iterator[SecondEngine]:
    """An engine that has no image and no network."""
    with second_engine() as started:
        yield started


@contextmanager
def elsewhere(project: Project, alone: SecondEngine) -> Iterator[Project]:
    """The project on the other engine, which has nothing; both doors lead there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", alone.address)
        other = Engine(Buildx(), Daemon())
        assert not other.daemon.api.images()
        yield pipeline.Project(project.loaded, other, project.console)


@pytest.mark.usefixtures("_no_toolkit")
def test_same_digest(locked: Project, alone: SecondEngine, tmp_path: Path) -> None:
    """An engine without base and network builds from the bundle alone what the one with both built, bit for bit."""
    archive = tmp_path / "bundle.tar"
    online = pipeline.build_image(locked, BuildOptions(reproducible=True), progress="quiet")
    write_bundle(locked, BundleOptions(output=archive, pythons=(locked.settings.python,)))
    with elsewhere(locked, alone) as project:
        offline = build_offline(project, archive, progress="quiet")
        command = ["python", "-c", "import annotated_doc"]
        assert project.engine.buildx.run(project.settings.reference, command, networks=["none"]) == ""

    assert offline.digest == online.digest
    assert re.fullmatch("sha256:[0-9a-f]{64}", offline.digest)


@pytest.mark.usefixtures("_no_toolkit")
def test_by_hand(plain: Project, alone: SecondEngine, tmp_path: Path) -> None:
    """What a Dockerfile installs without a lock and names by digest is packed; its literal base is the one found."""
    archive = tmp_path / "bundle.tar"
    packed = write_bundle(plain, BundleOptions(output=archive, pythons=(plain.settings.python,))).manifest
    assert [each.file.partition("-")[0] for each in packed.of("wheel")] == ["idna"]
    assert len(packed.images) == 2
    with elsewhere(plain, alone) as project:
        build_offline(project, archive, progress="quiet")
        command = ["python", "-c", "import idna; print(open('/tool').read())"]
        told = project.engine.buildx.run(project.settings.reference, command, networks=["none"])

    assert told == plain.settings.image
    assert not any(":sha256-" in tag for each in plain.engine.daemon.api.images() for tag in each["RepoTags"])


@pytest.mark.usefixtures("_no_toolkit")
def test_not_in_the_bundle(locked: Project, tmp_path: Path) -> None:
    """What the lock wants and the bundle lacks is said before a build; a step that wants more has no network for it."""
    archive = tmp_path / "bundle.tar"
    write_bundle(locked, BundleOptions(output=archive, pythons=(locked.settings.python,)))
    with (locked.settings.root / "Dockerfile").open("a") as stream:
        stream.write("RUN WHAT=idna && python -m pip install --retries=0 --no-cache-dir $WHAT\n")
    with pytest.raises(BuildError, match="pip install --retries=0") as failed:
        build_offline(locked, archive, progress="quiet")
    assert "No step had a network" in failed.value.why

    lock = locked.settings.root / "lock.txt"
    lock.write_text(re.sub("==[0-9.]+", "==9.9.9", lock.read_text()))
    with pytest.raises(EngineError, match="cannot be had offline") as lacking:
        build_offline(locked, archive, progress="quiet")
    assert lacking.value.why == f"wheel {WHEEL} 9.9.9 for Python 3.12 (lock.txt:1; the lock changed since the bundle)"


@pytest.mark.usefixtures("_no_toolkit")
def test_signed(locked: Project, cosign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real cosign signs a bundle; an offline build takes none that was changed since, or that another signed."""
    monkeypatch.setenv("PATH", f"{cosign}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("COSIGN_PASSWORD", "of-the-key")
    archive, folder = tmp_path / "bundle.tar", locked.settings.root
    keys = {
        "sign.key": str(cosign / "cosign.key"),
        "sign.public_key": str(cosign / "cosign.pub"),
        "bundle.verify": True,
    }
    project = opened(folder, locked.engine, keys)
    write_signed(project, BundleOptions(output=archive, pythons=(project.settings.python,)))
    assert sorted(each.name for each in tmp_path.glob("*bundle.tar*")) == ["bundle.tar", "bundle.tar.sig"]
    assert verified(project, archive).manifest.project == project.settings.image
    assert build_offline(project, archive, progress="quiet").digest

    others = opened(folder, locked.engine, {**keys, "sign.public_key": str(cosign / "others" / "cosign.pub")})
    with pytest.raises(EngineError, match="no right signature of it was found") as refused:
        build_offline(others, archive, progress="quiet")
    assert "invalid signature" in refused.value.why
    with archive.open("ab") as stream:
        stream.write(bytes(512))
    with pytest.raises(EngineError, match="no right signature of it was found"):
        build_offline(project, archive, progress="quiet")
    (tmp_path / "bundle.tar.sig").unlink()
    with pytest.raises(EngineError, match="no right signature of it was found") as missing:
        build_offline(project, archive, progress="quiet")
    assert missing.value.why == f"There is no {archive}.sig."


@pytest.mark.operations
def test_repository(repository: Project, alone: SecondEngine, tmp_path: Path) -> None:
    """This repository's image is built from a bundle alone, to the digest of the build with a network."""
    archive = tmp_path / "bundle.tar"
    online = pipeline.build_image(repository, BuildOptions(reproducible=True), progress="quiet")
    write_bundle(repository, BundleOptions(output=archive, pythons=(repository.settings.python,)))
    with elsewhere(repository, alone) as project:
        offline = build_offline(project, archive, progress="quiet")

    assert offline.digest == online.digest


@pytest.mark.operations
def test_toolkit(locked: Project, tmp_path: Path) -> None:
    """What a bundle has of the toolkit is installed without a network, and runs."""
    archive = tmp_path / "bundle.tar"
    write_bundle(locked, BundleOptions(output=archive, pythons=(locked.settings.python,)))
    with tarfile.open(archive) as opened_archive:
        opened_archive.extractall(tmp_path / "out", filter="data")
    base = machine.base_for(locked.settings.python, locked.wanted, locked.engine)
    install = "pip install -q --no-index --find-links /b/toolkit --target /t dockyard"
    script = f"{install} && PYTHONPATH=/t python -m invoke --version"
    command = [
        "docker",
        "run",
        "--rm",
        "--network=none",
        "-v",
        f"{tmp_path}/out:/b:ro",
        base.reference,
        "sh",
        "-c",
        script,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Invoke ")
