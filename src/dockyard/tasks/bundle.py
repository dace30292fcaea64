"""The task that packs everything an image is built from, for machines without a network."""

from __future__ import annotations

from pathlib import Path

from invoke.context import Context  # noqa: TC002 - Invoke reads the signature
from invoke.tasks import task

from dockyard.errors import SettingsError
from dockyard.tasks.bridge import command, opened


@task(
    help={
        "output": "the archive. Default: IMAGE-VERSION.bundle.tar in the working folder",
        "python": "Python that it must have; may be given again. Default: all of the matrix that have a base",
        "check": "verify this bundle and say what is in it; nothing is written",
    },
    iterable=["python"],
)
@command
def bundle(_: Context, output: str = "", python: list[str] | None = None, check: str = "") -> None:
    """Write one verified archive of all that the image is built from."""
    from dockyard.bundle import verify
    from dockyard.pipeline.bundle import BundleOptions, write_bundle
    from dockyard.report import bundle as reports

    if check and (output or python):
        raise SettingsError("--check writes nothing.", "--output or --python came with it.", "Take one or the other.")
    project = opened({"pythons": python})
    settings = project.settings
    target = Path(output or f"{settings.image.rpartition('/')[2]}-{settings.version}.bundle.tar")
    options = BundleOptions(output=target, pythons=settings.pythons if python else ())
    reports.show(project.console, verify(Path(check)) if check else write_bundle(project, options))
