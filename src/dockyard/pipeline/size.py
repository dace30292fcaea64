"""One measurement: which image, what it stands on, what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard import image, size
from dockyard.build import anchor
from dockyard.dockerfile import parse
from dockyard.errors import DockyardError
from dockyard.image.documents import mapping, text
from dockyard.pipeline.subject import subject_of
from dockyard.plan.labels import BASE_DIGEST, BASE_NAME

if TYPE_CHECKING:
    from dockyard.dockerfile import Dockerfile
    from dockyard.image import Image
    from dockyard.pipeline.project import Project
    from dockyard.pipeline.subject import Subject


@dataclass(frozen=True, kw_only=True)
class SizeOptions:
    """How a measurement is asked for.

    Attributes:
        image: Reference, or path of a saved image; empty is the one that `run` starts.
        against: The same of another image to compare with; empty is none.
    """

    image: str = ""
    against: str = ""


def measure_image(project: Project, options: SizeOptions) -> size.Sized:
    """Measure an image, hold it against the budgets, and compare it with another.

    Raises:
        EngineError: The engine has no such image, or an archive cannot be read.
        SettingsError: An archive holds several images.
    """
    from dockyard.report import size as reports  # noqa: PLC0415 - rich is for those who look

    subject = subject_of(project, options.image)
    other = subject_of(project, options.against) if options.against else None
    with reports.reading(project.console, _name(subject)):
        measured = _measured(project, subject)
    comparison = None
    if other:
        with reports.reading(project.console, _name(other)):
            comparison = size.compare(_measured(project, other), measured)
    return size.Sized(measured=measured, comparison=comparison, breaches=size.check(measured, project.settings.size))


def _name(subject: Subject) -> str:
    return subject.reference or str(subject.archive)


def _measured(project: Project, subject: Subject) -> size.Measured:
    """Read and measure one image."""
    source = subject.archive or project.engine.daemon.save(subject.reference)
    read = image.read(source, keep=size.keeps, reference=subject.reference)
    dockerfile = _dockerfile(project, subject)
    lines = anchor.lines_of_layers(dockerfile, read) if dockerfile else {}
    base = _base_of_engine(project, read)
    if base is None and dockerfile and lines:
        base = _base_of_dockerfile(dockerfile, read, lines)
    return size.measure(
        read, name=_name(subject), base=base, dockerfile=dockerfile.name if dockerfile and lines else "", lines=lines
    )


def _dockerfile(project: Project, subject: Subject) -> Dockerfile | None:
    """Return the Dockerfile of the project's own image; without it, layers have no lines, which is no error."""
    if subject.dockerfile is None or not subject.dockerfile.is_file():
        return None
    settings = project.settings
    try:
        return parse(subject.dockerfile.read_bytes(), args=settings.build.args, name=settings.build.dockerfile)
    except DockyardError:
        return None


def _base_of_engine(project: Project, read: Image) -> size.Base | None:
    """Return the base that the image's labels name, if the engine has it and it is below the image indeed."""
    labels = mapping(mapping(read.config.get("config")).get("Labels"))
    name, digest = text(labels.get(BASE_NAME)), text(labels.get(BASE_DIGEST))
    own = tuple(layer.diff_id for layer in read.layers)
    for reference in dict.fromkeys((f"{name.partition('@')[0]}@{digest}" if name and digest else "", digest, name)):
        try:
            facts = project.engine.daemon.image(reference) if reference else None
        except DockyardError:
            return None
        if facts and facts.diff_ids and own[: len(facts.diff_ids)] == facts.diff_ids:
            return size.Base(reference=name or reference, layers=len(facts.diff_ids))
    return None


def _base_of_dockerfile(dockerfile: Dockerfile, read: Image, lines: dict[int, int]) -> size.Base | None:
    """Return the layers that no instruction of the Dockerfile made: those of its FROM."""
    start = next(each for each in dockerfile.lineage(dockerfile.final) if each.keyword == "FROM")
    count = sum(line == start.line for line in lines.values())
    labels = mapping(mapping(read.config.get("config")).get("Labels"))
    reference = text(labels.get(BASE_NAME)) or f"{dockerfile.name}:{start.line}"
    return size.Base(reference=reference, layers=count) if count else None
