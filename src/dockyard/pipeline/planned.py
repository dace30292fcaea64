"""Settings -> the build that is asked for: its base, its secrets, and what each of a build's other matters adds."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard import context, machine, plan, revision
from dockyard.pipeline.lending import lending
from dockyard.state import PRIVATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.pipeline.project import Project
    from dockyard.plan import BuildOptions, BuildPlan


@contextmanager
def planned(project: Project, options: BuildOptions = plan.AS_USUAL, *, builds: bool = True) -> Iterator[BuildPlan]:
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
        for step in (_without_our_folder, on_its_base, _pinned, _marked, _attesting):
            asked = step(project, asked, options)
        yield asked


# What few builds need is imported by those: no build is to wait for it.


def _without_our_folder(project: Project, asked: BuildPlan, _: BuildOptions) -> BuildPlan:
    """See that a build which would copy our own folder does not."""
    state = project.settings.state
    ignore = context.effective(asked.context, asked.dockerfile)
    if state.is_relative_to(asked.context) and ignore.admits(f"{state.relative_to(asked.context).as_posix()}/api_key"):
        from dockyard.pipeline.kept_out import keep_state_out  # noqa: PLC0415

        keep_state_out(project, asked, ignore, state.relative_to(asked.context).as_posix())
    return asked


def _pinned(project: Project, asked: BuildPlan, options: BuildOptions) -> BuildPlan:
    """Put what is pinned in the place of the images that the Dockerfile names; a bundle has its own."""
    settings = project.settings
    if options.offline and options.offline.images:
        from dockyard.pipeline.outside import with_images  # noqa: PLC0415

        return with_images(asked, options.offline.images)
    if options.offline or not (settings.pin.require or (settings.root / settings.pin.file).is_file()):
        return asked
    from dockyard.pipeline.outside import with_pins  # noqa: PLC0415

    return with_pins(project, asked)


def on_its_base(project: Project, asked: BuildPlan, _: BuildOptions = plan.AS_USUAL) -> BuildPlan:
    """Put the base in the place of its name, in a Dockerfile that does not take it as an argument."""
    if not asked.dockerfile.is_file() or b"BASE_IMAGE" in asked.dockerfile.read_bytes():
        return asked
    from dockyard.pipeline.outside import with_base  # noqa: PLC0415

    return with_base(project, asked)


def _marked(project: Project, asked: BuildPlan, options: BuildOptions) -> BuildPlan:
    """Mark the steps that are to run again once their secret is another one."""
    if options.reproducible or not project.settings.build.secrets_rebuild:
        return asked
    from dockyard import explain  # noqa: PLC0415

    return replace(asked, marks=explain.marks(asked.secrets, project.state))


def _attesting(project: Project, asked: BuildPlan, options: BuildOptions) -> BuildPlan:
    """Ask for the provenance that is wanted, where it can be had."""
    if options.provenance in {"", "off"}:
        return asked
    from dockyard.pipeline.provenance import attesting  # noqa: PLC0415

    return attesting(project, asked, options.provenance)


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
