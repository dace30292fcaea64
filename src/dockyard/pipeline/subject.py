"""Which image is meant: one of the engine or a saved one, and whether it is this project's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.errors import EngineError, SettingsError
from dockyard.plan import PROJECT

if TYPE_CHECKING:
    from dockyard.pipeline.project import Project


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is read or judged.

    Attributes:
        reference: The engine's image; empty if none.
        archive: A saved image in its place.
        dockerfile: None if none is known to have made the image.
        ours: Whether it is this project's image, whose service can be started and asked.
    """

    reference: str = ""
    archive: Path | None = None
    dockerfile: Path | None = None
    ours: bool = False


def subject_of(project: Project, image: str = "", dockerfile: str = "") -> Subject:
    """Return what is meant; refuse an image or a Dockerfile that is not there before anything is begun.

    Args:
        project: Whose image is meant if none is named.
        image: Reference, or path of a saved image; empty is the one that `run` starts, unless a Dockerfile is named.
        dockerfile: Path; empty is the project's, where the image is the project's too.
    """
    settings = project.settings
    given = Path(dockerfile) if dockerfile else None
    if given and not given.is_file():
        raise SettingsError(f"There is no Dockerfile {given}.", "--dockerfile names it.", "Correct the path.")
    archive = Path(image) if image and Path(image).is_file() else None
    reference = "" if archive or (given and not image) else image or settings.reference
    ours = bool(reference) and _is_ours(project, reference)
    made_by = given or (settings.root / settings.build.dockerfile if ours else None)
    return Subject(reference=reference, archive=archive, dockerfile=made_by.resolve() if made_by else None, ours=ours)


def _is_ours(project: Project, reference: str) -> bool:
    """Whether the engine's image is one that this project built; raise EngineError if it has none of that name."""
    facts = project.engine.daemon.image(reference)
    if facts is None:
        own = reference == project.settings.reference
        todo = "Run `invoke build` first." if own else f"Pull it first: `docker pull {reference}`."
        raise EngineError(f"There is no image {reference}.", "The engine does not have it.", todo)
    return facts.labels.get(PROJECT) == project.settings.image
