"""Whether two builds are one, on a real engine: each kind of difference is planted and must be named, and no other."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from conftest import PYPROJECT, REPOSITORY, opened
from dockyard import image, machine, pipeline
from dockyard.errors import AuditError
from dockyard.pipeline import BuildOptions
from dockyard.pipeline.reproduce import ReproduceOptions, reproduce_image, require_same
from dockyard.reproduce import Difference, How
from dockyard.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dockyard.pipeline import Project
    from dockyard.reproduce import Rebuilt

PYTHONS = load(start=REPOSITORY, environment={}).settings.pythons
QUIET = ReproduceOptions(progress="quiet")
SAME = """\
ARG BASE_IMAGE
FROM ${BASE_IMAGE} AS builder
RUN mkdir /made && echo made > /made/file
FROM ${BASE_IMAGE}
COPY --from=builder /made /made
COPY --chmod=644 app.py /app.py
RUN touch /younger
ARG VALUE=one
ENV VALUE=${VALUE}
"""
PLANTED = """\
ARG BASE_IMAGE
FROM ${BASE_IMAGE} AS builder
RUN mkdir /made && head -c 24 /dev/urandom > /made/chance
FROM ${BASE_IMAGE}
RUN date > /date
RUN touch /younger
RUN head -c 24 /dev/urandom > /random
COPY app.py /app.py
RUN folder=$(mktemp -d) && echo "built in $folder" > /where && rmdir "$folder"
COPY --chmod=644 app.py /compiled.py
RUN python -m compileall -q /compiled.py
RUN mkdir /many && touch -d @0 /many/1 /many/2 /many/3 /many/4 /many/5 /many/6 /many/7 /many/8 /many/9 && \\
    cd /many && tar --mtime=@0 -cf /packed.tar $(ls | shuf)
RUN ls /many | shuf > /listed
RUN echo packed > /f && gzip /f
COPY --from=builder /made /made
"""
# The file, its line of the Dockerfile, and how it differs; `/younger` differs in its time alone, and so not at all.
NAMED = {
    ("/date", 5, How.TIME),
    ("/random", 7, How.CONTENT),
    ("/app.py", 8, How.MODE),
    ("/where", 9, How.PATH),
    ("/__pycache__/compiled.cpython-312.pyc", 11, How.BYTECODE),
    ("/packed.tar", 12, How.ORDER),
    ("/listed", 14, How.ORDER),
    ("/f.gz", 15, How.GZIP),
    ("/made/chance", 16, How.CONTENT),
}


@pytest.fixture
def service(tmp_path: Path, unique: str, engine) -> Iterator[Callable[..., Project]]:
    """Write a project with a Dockerfile, and open it with settings, given as dotted keys."""
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT.format(name=unique))
    (folder / "app.py").write_text("print('here')\n")

    def service(text: str, **arguments: object) -> Project:
        (folder / "Dockerfile").write_text(text)
        return opened(folder, engine, {key.replace("__", "."): value for key, value in arguments.items()})

    yield service
    list(pipeline.clean(service(SAME), images=True))


def named(rebuilt: Rebuilt) -> set[tuple[str, int, How]]:
    """What differs, with its line and how."""
    found = rebuilt.comparison.differences
    return {(each.subject, each.place.line if each.place else 0, each.seen.how) for each in found}


def by_subject(rebuilt: Rebuilt) -> dict[str, Difference]:
    return {each.subject: each for each in rebuilt.comparison.differences}


def test_planted(service: Callable[..., Project]) -> None:
    """Each planted difference is named with its file, line and kind, the first one first, and nothing else is."""
    rebuilt = reproduce_image(service(PLANTED), QUIET)

    assert named(rebuilt) == NAMED
    first, *_ = rebuilt.comparison.differences
    assert first.subject == "/date"
    assert [line[0] for line in first.seen.diff] == ["-", "+"]
    assert "SOURCE_DATE_EPOCH" in first.remedy
    found = by_subject(rebuilt)
    assert found["/app.py"].seen.detail == "mode 644 and 600"
    assert "--chmod" in found["/app.py"].remedy
    assert "--sort=name" in found["/packed.tar"].remedy
    assert "gzip -n" in found["/f.gz"].remedy
    assert found["/made/chance"].place
    assert found["/made/chance"].place.source == "builder"
    with pytest.raises(AuditError) as caught:
        require_same(rebuilt, QUIET)
    assert "/date" in caught.value.why


def test_same(service: Callable[..., Project]) -> None:
    """A build gives one digest, whatever is cached and however old the checkout's files are; `build` loads it."""
    project = service(SAME)
    aged = project.settings.root / "app.py"
    os.utime(aged, (1_000, 1_000))
    pipeline.build_image(project, progress="quiet")
    first = pipeline.build_image(project, BuildOptions(reproducible=True), progress="quiet")
    os.utime(aged)
    again = pipeline.build_image(project, BuildOptions(reproducible=True), progress="quiet")
    rebuilt = reproduce_image(project, QUIET)

    assert rebuilt.comparison.differences == ()
    assert {first.digest, again.digest} == set(rebuilt.comparison.digests)
    assert image.read(project.engine.daemon.save(project.settings.reference)).digest == first.digest
    assert first.tags == (project.settings.reference, project.settings.matrix_reference)
    assert all(project.engine.daemon.image(tag) for tag in first.tags)
    assert len(project.state.records("builds")) == 3
    require_same(rebuilt, QUIET)


def test_against(service: Callable[..., Project]) -> None:
    """Another's image, made with another argument and label, differs in those and their traces alone."""
    other = service(SAME, build__args={"VALUE": "two"}, build__labels={"team": "a"}, tag="other")
    pipeline.build_image(other, BuildOptions(reproducible=True), progress="quiet")
    options = ReproduceOptions(against=other.settings.reference, progress="quiet")
    rebuilt = reproduce_image(service(SAME, build__labels={"team": "b"}), options)

    assert [(each.subject, each.seen.how) for each in rebuilt.comparison.differences][:2] == [
        ("Env.VALUE", How.ENVIRONMENT),
        ("Labels.team", How.LABEL),
    ]
    assert {each.seen.how for each in rebuilt.comparison.differences} == {How.ENVIRONMENT, How.LABEL, How.HISTORY}
    assert all(each.place is None for each in rebuilt.comparison.differences)


@pytest.mark.parametrize("python", PYTHONS)
def test_repository(repository: Project, python: str) -> None:
    """This repository's own image is the same, bit for bit, from two checkouts, on every Python of its matrix."""
    name = repository.settings.image
    project = opened(repository.settings.root, repository.engine, {"image": name, "run.name": name, "python": python})
    refused = [each for each in machine.prepare(project.wanted, project.engine, print) if each.state == "refused"]
    if refused and os.environ.get("DOCKYARD_REQUIRE_ALL") != "1":
        pytest.skip(f"not run: {refused[0].subject}: {refused[0].detail}")
    rebuilt = reproduce_image(project, QUIET)

    assert rebuilt.comparison.differences == ()
    assert len(set(rebuilt.comparison.digests)) == 1
