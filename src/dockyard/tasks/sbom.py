"""The task that says what is in an image."""

from __future__ import annotations

from pathlib import Path

from invoke.context import Context  # noqa: TC002 - Invoke reads the signature
from invoke.tasks import task

from dockyard.tasks.bridge import choice, command, opened, whole_number

FORMATS = ("table", "json", "markdown")


@task(
    help={
        "image": "list what is in this image, or saved image (.tar), instead of the project's own",
        "against": "say which packages changed since this image, saved image or CycloneDX file",
        "write": "write the CycloneDX document to this file",
        "top": "licences that the table has. Default: 15",
        "format": "table, json (the CycloneDX document) or markdown",
    }
)
@command
def sbom(
    _: Context, image: str = "", against: str = "", write: str = "", top: str = "15", format: str = "table"
) -> None:
    """List what is in the image as CycloneDX, with its licences."""
    from dockyard.pipeline import sbom as listing
    from dockyard.report import sbom as reports
    from dockyard.sbom import require

    choice("format", format, FORMATS)
    most = whole_number("top", top)
    target = reports.target(Path(write)) if write else None
    project = opened(quiet=format != "table")
    listed = listing.list_image(project, listing.SbomOptions(image=image, against=against))
    if target:
        reports.write(project.console, listed, target)
    reports.show(project.console, listed, format, most)
    require(listed.violations)
