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
        "sign": "sign it with cosign as [tool.dockyard.sign] says: the signature is beside it, with .sig at its end",
        "check": "verify this bundle and say what is in it; nothing is written",
    },
    iterable=["python"],
)
@command
def bundle(_: Context, output: str = "", python: list[str] | None = None, sign: bool = False, check: str = "") -> None:
    """Write one verified archive of all that the image is built from."""
    from dockyard.pipeline import bundle as pipeline
    from dockyard.pipeline import bundle_signed as signed
    from dockyard.report import bundle as reports

    if check and (output or python or sign):
        raise SettingsError(
            "--check writes nothing.", "--output, --python or --sign came with it.", "Take one or the other."
        )
    project = opened({"pythons": python})
    settings = project.settings
    if check:
        reports.show(project.console, signed.verified(project, Path(check)))
        return
    target = Path(output or f"{settings.image.rpartition('/')[2]}-{settings.version}.bundle.tar")
    options = pipeline.BundleOptions(output=target, pythons=settings.pythons if python else ())
    reports.show(project.console, (signed.write_signed if sign else pipeline.write_bundle)(project, options))
