"""Settings -> an image and its record."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockyard import build, context, machine, plan, revision
from dockyard.errors import SettingsError
from dockyard.pipeline.layers import with_layers
from dockyard.pipeline.lending import lending
from dockyard.settings.sources import process_environment
from dockyard.state import PRIVATE

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        if asked.note:
            project.console.note(asked.note, style="yellow")
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


@contextmanager
def planned(
    project: Project, options: plan.BuildOptions = plan.AS_USUAL, *, builds: bool = True
) -> Iterator[plan.BuildPlan]:
    """Yield the build that `build_image` makes; its secrets' files, and a base lent to it, last as long as the block.

    Args:
        project: What to build, and where.
        options: How.
        builds: Whether anything is built; a plan that is only looked at needs no builder, and nothing lent.

    Raises:
        EngineError: There is no base for it, no such builder, or no engine.
        SettingsError: It cannot have an assembled base.
    """
    settings = project.settings
    with ThreadPoolExecutor(1) as ahead:
        # Its answer takes a tenth of a second, in which the rest is found out.
        asking = ahead.submit(project.engine.buildx.driver, settings.build.builder or None)
        offline = options.offline
        base = offline.base if offline else machine.base_for(settings.python, project.wanted, project.engine)
        sources = revision.read(settings.root)
        driver = asking.result() if builds or not asking.exception() else ""
    with build_secrets(project) as mounts, lending(project, base, driver, builds=builds) as lent:
        asked = plan.build_plan(settings, base=base, revision=sources, secrets=mounts, options=options)
        asked = replace(asked, driver=driver, lent=lent)
        _keep_state_out(project, asked)
        if not offline and (settings.pin.require or (settings.root / settings.pin.file).is_file()):
            from dockyard.pipeline.outside import with_pins  # noqa: PLC0415 - there is nothing to do without pins

            asked = with_pins(project, asked)
        if asked.dockerfile.is_file() and b"BASE_IMAGE" not in asked.dockerfile.read_bytes():
            from dockyard.pipeline.outside import with_base  # noqa: PLC0415 - most Dockerfiles take it

            asked = with_base(project, asked)
        if settings.build.secrets_rebuild and not options.reproducible:
            from dockyard import explain  # noqa: PLC0415 - few want it

            asked = replace(asked, marks=explain.marks(mounts, project.state))
        if options.provenance not in {"", "off"}:
            from dockyard.pipeline.provenance import attesting  # noqa: PLC0415

            asked = attesting(project, asked, options.provenance)
        yield asked


def _keep_state_out(project: Project, asked: plan.BuildPlan) -> None:
    """See that a build which would copy our own folder does not."""
    state = project.settings.state
    ignore = context.effective(asked.context, asked.dockerfile)
    if state.is_relative_to(asked.context) and ignore.admits(f"{state.relative_to(asked.context).as_posix()}/api_key"):
        from dockyard.pipeline.kept_out import keep_state_out  # noqa: PLC0415 - most projects keep it out

        keep_state_out(project, asked, ignore, state.relative_to(asked.context).as_posix())


@contextmanager
def build_secrets(project: Project) -> Iterator[dict[str, Path]]:
    """Yield the files that the build gets as secret mounts, by their id; those we wrote are removed afterwards."""
    network = machine.network(project.wanted)
    mounts = {"ca": network.ca_bundle} if network.ca_bundle else {}
    with tempfile.TemporaryDirectory(prefix="dockyard-") as folder:
        for name, value in network.written.items():
            mounts[name] = Path(folder, name)
            mounts[name].touch(PRIVATE)
            mounts[name].write_text(value, "utf-8")
        yield mounts


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
