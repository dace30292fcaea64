"""One bill of materials: of which image, held against which policy, compared with what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard import image, sbom
from dockyard.pipeline.subject import subject_of

if TYPE_CHECKING:
    from dockyard.pipeline.project import Project
    from dockyard.pipeline.subject import Subject

BEGIN_OF_JSON = b"{"


@dataclass(frozen=True, kw_only=True)
class SbomOptions:
    """How a bill is asked for.

    Attributes:
        image: Reference, or path of a saved image; empty is the one that `run` starts.
        against: The same of another image, or path of a CycloneDX document; empty is none.
    """

    image: str = ""
    against: str = ""


def list_image(project: Project, options: SbomOptions) -> sbom.Listing:
    """List what is in an image, hold it against the policy, and compare it with another.

    Raises:
        EngineError: The engine has no such image, or an archive cannot be read.
        SettingsError: An archive holds several images, or a document is none.
    """
    subject = subject_of(project, options.image)
    other = _before(project, options.against) if options.against else None
    bill = _bill(project, subject)
    comparison = sbom.compare(other, sbom.listed(bill), reference=options.against) if other is not None else None
    return sbom.Listing(bill=bill, comparison=comparison, violations=sbom.check(bill, project.settings.sbom))


def _before(project: Project, against: str) -> frozenset[sbom.Listed]:
    """Return what another image has, or a document lists."""
    path = Path(against)
    if path.is_file():
        with path.open("rb") as file:
            begin = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
        if begin.startswith(BEGIN_OF_JSON):
            return sbom.read(path)
    return sbom.listed(_bill(project, subject_of(project, against)))


def _bill(project: Project, subject: Subject) -> sbom.Bill:
    """Read one image."""
    from dockyard.report.size import reading  # noqa: PLC0415 - rich is for those who look

    patterns = project.settings.audit.models
    with reading(project.console, subject.reference or str(subject.archive)):
        source = subject.archive or project.engine.daemon.save(subject.reference)
        read = image.read(
            source, keep=lambda path, size, _: sbom.keeps(path, size, patterns), reference=subject.reference
        )
        return sbom.bill(read, patterns)
