"""What an offline build of a project would need of a bundle, as its sources are now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard import bundle, plan, revision
from dockyard.dockerfile import load
from dockyard.machine import Base
from dockyard.machine.names import ARCHITECTURES
from dockyard.pipeline.planned import on_its_base

if TYPE_CHECKING:
    from dockyard.bundle import Manifest, SavedImage
    from dockyard.pipeline.project import Project


def need_of(
    project: Project, manifest: Manifest, python: str, options: plan.BuildOptions = plan.AS_USUAL
) -> bundle.Need:
    """Return what the build of a Python's image needs.

    Args:
        project: Whose image.
        manifest: Of the bundle that it would be built from, which names the base.
        python: Its version.
        options: How it is asked for.

    Raises:
        SettingsError: The Dockerfile or a lock cannot be read.
    """
    settings = project.settings.model_copy(update={"python": python})
    there = manifest.python(python)
    reference = there.base if there else settings.build.base.format(python=python)
    base = base_of(reference, manifest.image(reference))
    asked = plan.build_plan(settings, base=base, revision=revision.Revision(), secrets={}, options=options)
    asked = on_its_base(project, asked)
    tree = load(asked.dockerfile, args=asked.args)
    return bundle.Need(
        python=python,
        platform=platform_of(project),
        dockerfile=tree,
        target=tree.built(asked.target),
        locks=bundle.locks_of(settings.root, asked.context, asked.dockerfile, settings.bundle.locks),
        loose=bundle.loose_of(tree, tree.built(asked.target), asked.context, asked.dockerfile),
        images=asked.images,
    )


def platform_of(project: Project) -> str:
    """Return the platform that is built for, for instance linux/amd64."""
    machine_name = project.engine.daemon.server().architecture
    return next(iter(project.settings.build.platforms), f"linux/{ARCHITECTURES.get(machine_name, machine_name)}")


def base_of(reference: str, saved: SavedImage | None) -> Base:
    """Return a base as the bundle knows it; the labels of the image are then those of a build with a network."""
    return Base(
        reference=reference,
        pinned=reference,
        official=saved.official if saved else True,
        digest=saved.digest if saved else "",
        how="from the bundle",
    )
