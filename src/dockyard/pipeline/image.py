"""Settings -> an image and its record."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from dockyard import build, plan
from dockyard.errors import SettingsError
from dockyard.pipeline.layers import with_layers
from dockyard.pipeline.planned import planned
from dockyard.settings.sources import process_environment

if TYPE_CHECKING:
    from dockyard.pipeline.project import Project


def build_image(
    project: Project, options: plan.BuildOptions = plan.AS_USUAL, *, progress: str = "auto"
) -> build.BuildRecord:
    """Build the image of the settings' Python and keep the record.

    Args:
        project: What to build, and where.
        options: How.
        progress: `auto`, `tty`, `plain` or `quiet`.
    """
    from dockyard.report import progress as display  # noqa: PLC0415 - rich is for those who look

    def stages() -> tuple[str, ...]:
        from dockyard.build.anchor import stages_of  # noqa: PLC0415 - no build waits for what is drawn of it

        return stages_of(asked)

    options = replace(options, provenance=options.provenance or project.settings.build.provenance)
    times = partial(build.earlier, project.state, project.settings.python)
    with planned(project, options) as bare:
        asked = with_layers(project, bare, options)
        for note in asked.notes:
            project.console.note(note, style="yellow")
        gather = partial(_ingredients, project, asked)
        with display.shown(project.console, progress, stages, times) as watch:
            record = build.build(asked, engine=project.engine, state=project.state, watch=watch, ingredients=gather)
    project.console.note(display.summary(record), style="green")
    project.console.note(display.where(record))
    from dockyard.pipeline.explained import explained  # noqa: PLC0415 - read while BuildKit works
    from dockyard.report import explain as reports  # noqa: PLC0415

    unexpected = reports.one_line(explained(project, record))
    if unexpected:
        project.console.note(unexpected, style="yellow")
    if asked.provenance:
        from dockyard.pipeline.provenance import require_true  # noqa: PLC0415 - few want it

        project.console.note(require_true(asked, record), style="green")
    return record


def _ingredients(project: Project, asked: plan.BuildPlan) -> dict[str, Any]:
    """Return what goes into a build; what that takes to import costs nothing while BuildKit works."""
    from dockyard.pipeline.explained import ingredients  # noqa: PLC0415
    from dockyard.report import explain  # noqa: F401, PLC0415 - for the line that ends the build

    return ingredients(project, asked)


def build_arguments(given: list[str]) -> dict[str, str]:
    """Return NAME=value pairs as dotted keys; NAME alone takes its value from the environment, as docker does.

    Raises:
        SettingsError: A pair has no name, or NAME alone is not in the environment.
    """
    arguments = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not name or not (equals or name in process_environment()):
            raise SettingsError(
                f"--build-arg {pair} says nothing.",
                "It needs a name and a value.",
                "Write it as --build-arg NAME=value.",
            )
        arguments[f"build.args.{name}"] = value if equals else process_environment()[name]
    return arguments
