"""What goes wrong around a service that runs: what a person sees, and that nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from serving import KEY, again, assert_settled, docker, invoke, lines, serves
from swarms import until

from dockyard import pipeline
from dockyard.errors import EngineError
from dockyard.pipeline import observe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dockyard.pipeline import Project

pytestmark = pytest.mark.operations
HOME = '{"surface_m2": 62, "rooms": 3, "property_type": "apartment", "postal_code": "75011"}'
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount and change attributes")


def network_of(project: Project) -> str:
    return project.settings.run.network or project.settings.image


@pytest.fixture
def unwritable(service: Project) -> Iterator[Path]:
    """The project's folder once it serves, mounted read-only, as seen by whoever is in it."""
    folder = service.settings.root
    pipeline.start_production(service)
    subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_the_network_is_cut(service: Project) -> None:
    """A container without its network is told from a whole one by its empty address, and the next release heals it."""
    first = pipeline.start_production(service)
    before = lines(service)
    docker("network", "disconnect", "--force", network_of(service), service.settings.run.name)
    told = observe.status(service)
    assert (told.facts.status, told.url) == ("running", "")
    with pytest.raises(EngineError, match="cannot be reached") as caught:
        pipeline.rotate_key(service)
    assert "cut off from its network" in caught.value.why
    second = pipeline.start_production(again(service, tag="two"))
    assert second.replaced
    assert second.url.rpartition(":")[0] == first.url.rpartition(":")[0]
    assert serves(service) == "two"
    assert lines(service)[: len(before)] == before
    assert_settled(service)


def test_its_image_is_deleted(service: Project) -> None:
    """A container whose image was removed by force serves on, says so, and is replaced as any other."""
    image = service.settings.image
    made = docker("create", f"{image}:one").strip()
    docker("commit", "--change", "LABEL doomed=yes", made, f"{image}:doomed")
    docker("rm", made)
    doomed = again(service, tag="doomed")
    started = pipeline.start_production(doomed)
    digest = pipeline.own(doomed).image_id
    docker("rmi", "--force", *json.loads(docker("image", "inspect", digest))[0]["RepoTags"])
    assert serves_on(doomed)
    assert observe.status(doomed).digest == digest
    with pytest.raises(EngineError, match=f"There is no image {image}:doomed"):
        pipeline.start_production(doomed)
    assert serves_on(doomed)
    assert pipeline.start_production(again(service, tag="two")).release > started.release
    assert serves(service) == "two"
    assert_settled(service)


def unmoved(project: Project) -> str:
    return docker("inspect", project.settings.run.name, "--format", "{{.Id}} {{.State.StartedAt}} {{.Name}}")


def serves_on(project: Project) -> bool:
    return pipeline.target_of(project, pipeline.own(project)).ask("GET", "/ready").status == 200


@root
def test_a_read_only_project(service: Project, unwritable: Path) -> None:
    """Where nothing can be written down nothing is begun: three lines, exit code 3, and the service serves on."""
    before = unmoved(service)
    for words in (("run", "--prod", "--tag", "two"), ("rollback",), ("rotate-key",), ("stop",)):
        done = invoke(service, *words)
        assert done.returncode == 3, done.stderr
        assert "cannot be written." in done.stderr
        assert "Read-only file system" in done.stderr
        assert "Make that folder writable for you" in done.stderr
    assert unmoved(service) == before
    assert serves_on(service)


@root
def test_the_disk_of_the_logs_is_full(repository: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """house-pricing-api answers on, says once that it cannot write its log file."""
    monkeypatch.setenv("API_KEY", KEY)
    folder = repository.settings.root / "logs"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=0777", "none", str(folder)], check=True)
    try:
        pipeline.build_image(repository, progress="quiet")
        pipeline.start_production(repository)
        log = folder / "house-pricing-api.log"
        before = log.read_text().splitlines()
        filler = folder / "filler"
        with filler.open("wb", buffering=0) as stream, suppress(OSError):
            while stream.write(b"x" * 1024):
                pass
        target = pipeline.target_of(repository, pipeline.own(repository))
        statuses = {target.ask("POST", "/predict", key=KEY, body=HOME).status for _ in range(100)}
        assert statuses == {200}

        def complaints() -> list[str]:
            return [line for line in docker("logs", target.facts.id).splitlines() if "file cannot be written" in line]

        said = until(complaints, "a word about the full disk")
        assert len(said) == 1
        assert "No space left on device" in said[0]
        assert pipeline.own(repository).health == "healthy"
        assert log.read_text().splitlines()[: len(before)] == before
    finally:
        docker("rm", "-f", repository.settings.run.name)
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
