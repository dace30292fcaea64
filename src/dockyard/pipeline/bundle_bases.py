"""The bases that a bundle is made with, each by the tag that an engine which loads it has it by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard import machine
from dockyard.errors import EngineError
from dockyard.pipeline.project import wanted

if TYPE_CHECKING:
    from dockyard.machine import Base
    from dockyard.pipeline.project import Project


def bases_of(project: Project, asked: tuple[str, ...]) -> tuple[dict[str, Base], dict[str, str]]:
    """Return the bases by their Pythons, and why others of the matrix have none.

    Raises:
        EngineError: One that was asked for, or that of the image, has none.
    """
    settings = project.settings
    pythons = asked or tuple(dict.fromkeys((*settings.pythons, settings.python)))
    found, left_out = {}, {}
    for python in pythons:
        try:
            asked_for = wanted(settings, (python,))
            found[python] = _by_tag(project, machine.base_for(python, asked_for, project.engine), asked_for, python)
        except EngineError as error:
            if asked or python == settings.python:
                raise
            # Why names what this machine's network is like, which is nobody's business where the bundle goes.
            left_out[python] = error.what
            project.console.note(f"Python {python} is left out. {error.what} {error.why}", style="yellow")
    return found, left_out


def _by_tag(project: Project, base: Base, asked: machine.Wanted, python: str) -> Base:
    """Return a base by its tag, which an engine that loads it has it by; one that was just pinned may have none yet."""
    wanted_name = asked.reference(python)
    if "@" not in base.reference or "@" in wanted_name:
        return base
    give_tag(project, base.pinned, wanted_name, "FROM")
    return replace(base, reference=wanted_name)


def give_tag(project: Project, pinned: str, reference: str, why: str) -> None:
    """Give a pinned image its tag, by which it is saved; a tag that is another image's stays, and nothing is saved.

    Raises:
        EngineError: It is another image's.
    """
    wanted_one, there = (project.engine.daemon.image(each) for each in (pinned, reference))
    if wanted_one is None or pinned == reference:
        return
    if there is None:
        project.engine.buildx.tag(pinned, reference)
    elif there.id != wanted_one.id:
        raise EngineError(
            f"{reference} ({why}) cannot go into a bundle as it is pinned.",
            f"{pinned} is pinned, and this engine has another image under that tag.",
            f"Give the tag to the pinned one: `docker tag {pinned} {reference}`.",
        )
