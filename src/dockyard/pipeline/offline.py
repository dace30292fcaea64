"""A bundle -> an image, built without a network, once all that is missing was said."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard import bundle, plan
from dockyard.errors import BuildError, EngineError
from dockyard.pipeline import bundle_signed as signed
from dockyard.pipeline.image import build_image
from dockyard.pipeline.need import base_of, need_of
from dockyard.units import amount

if TYPE_CHECKING:
    from dockyard.build import BuildRecord
    from dockyard.bundle import Manifest, Matrix, Member
    from dockyard.pipeline.project import Project


def build_offline(
    project: Project, archive: Path, options: plan.BuildOptions = plan.AS_USUAL, *, progress: str = "auto"
) -> BuildRecord:
    """Build the image from a bundle alone; no step has a network.

    It is a reproducible build wherever the engine makes those, and so has the digest of one with a network.

    Args:
        project: What to build, and where.
        archive: The bundle.
        options: How.
        progress: `auto`, `tty`, `plain` or `quiet`.

    Raises:
        BuildError: A step failed.
        EngineError: The bundle is refused, not signed as it must be, or lacks something.
        SettingsError: There is no such bundle.
    """
    _require_own_builder(project)
    project.announce(f"verifying {archive}")
    verified = signed.verified(project, archive)
    there = _required(project, verified.manifest, options)
    with tempfile.TemporaryDirectory(prefix="dockyard-") as place:
        _unpack(project, verified, there, Path(place))
        saved = verified.manifest.image(there.base)
        offline = plan.Offline(
            base=base_of(there.base, saved),
            contexts={bundle.WHEELS: Path(place, bundle.WHEELS)},
            images={each: bundle.name_of_loaded(each) for each in there.images if "@" in each},
        )
        reproducible = project.engine.daemon.server().containerd_store
        if not reproducible:
            project.console.note(
                "This engine's classic image store makes no reproducible builds; the digest says nothing.",
                style="yellow",
            )
        asked = replace(options, offline=offline, reproducible=reproducible)
        try:
            return build_image(project, asked, progress=progress)
        except BuildError as error:
            raise BuildError(
                error.what,
                f"{error.why}\nNo step had a network: what it may have wanted from there is not in the bundle.",
                error.todo,
            ) from None


def _require_own_builder(project: Project) -> None:
    """Refuse a builder with a store of its own, which would ask a registry for the base.

    Raises:
        EngineError: It has one.
    """
    builder = project.settings.build.builder
    driver = project.engine.buildx.driver(builder or None)
    if driver != "docker":
        raise EngineError(
            f"The builder {builder or 'in use'} cannot build from a bundle.",
            f"It has a store of its own (driver {driver}), and images are loaded into the engine's.",
            "Take the engine's own builder: `--builder default`.",
        )


def _required(project: Project, manifest: Manifest, options: plan.BuildOptions) -> Matrix:
    """Return what the bundle has for the image's Python, or say everything that is missing.

    Raises:
        EngineError: Something is.
    """
    there = manifest.python(project.settings.python)
    need = need_of(project, manifest, project.settings.python, options)
    lacking = bundle.missing(manifest, need)
    if lacking or there is None:
        raise EngineError(
            f"{len(lacking)} thing{'' if len(lacking) == 1 else 's'} that this build wants cannot be had offline.",
            "\n".join(lacking),
            "Write a new bundle from these sources, where there is a network: `invoke bundle`.",
        )
    for lock in bundle.changed(manifest, need.locks):
        project.console.note(f"{lock.name} changed since the bundle; every wheel of it is there.", style="yellow")
    return there


def _unpack(project: Project, verified: bundle.Verified, there: Matrix, place: Path) -> None:
    """Unpack the wheels of a Python, and load the images that the engine has not."""
    manifest = verified.manifest
    images = [manifest.image(reference) for reference in there.images]
    lacking = {each.member: each for each in images if each and not bundle.is_there(project.engine, each)}

    def into(member: Member) -> Path | None:
        if member.name in lacking or member.name in there.wheels:
            return place / member.name
        return None

    (place / bundle.WHEELS).mkdir()
    again = bundle.verify(verified.path, into)
    if again.digest != verified.digest:
        raise EngineError(
            f"{verified.path} was replaced while it was read.", "Its manifest is another one now.", "Try again."
        )
    wheels = [member for member in manifest.of("wheel") if member.name in there.wheels]
    size = amount(sum(member.size for member in wheels))
    project.console.note(f"{len(wheels)} wheels for Python {there.python} ({size}) are verified.")
    for name, each in lacking.items():
        bundle.load(project.engine, each, place / name, project.console.note)
        (place / name).unlink()
