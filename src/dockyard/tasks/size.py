"""The task that says what the bytes of an image are."""

from __future__ import annotations

from pathlib import Path

from invoke.context import Context  # noqa: TC002 - Invoke reads the signature
from invoke.tasks import task

from dockyard.tasks.bridge import choice, command, opened, whole_number

FORMATS = ("table", "json", "svg", "markdown")


@task(
    help={
        "image": "measure this image, or saved image (.tar), instead of the project's own",
        "against": "say what changed since this image, or saved image: the base, an earlier release or any other",
        "depth": "depth of the folders that are told. Default: 3",
        "top": "rows of each table. Default: 10",
        "format": "table, json, svg or markdown",
        "svg": "write the treemap to this file too",
    }
)
@command
def size(
    _: Context,
    image: str = "",
    against: str = "",
    depth: str = "3",
    top: str = "10",
    format: str = "table",
    svg: str = "",
) -> None:
    """Say what the image's bytes are, and what changed."""
    from dockyard.pipeline import size as measuring
    from dockyard.report import size as reports
    from dockyard.report.size_table import Detail
    from dockyard.size import require

    choice("format", format, FORMATS)
    detail = Detail(depth=whole_number("depth", depth), top=whole_number("top", top))
    picture = reports.target(Path(svg)) if svg else None
    project = opened(quiet=format != "table")
    sized = measuring.measure_image(project, measuring.SizeOptions(image=image, against=against))
    reports.show(project.console, sized, format, detail)
    if picture:
        reports.write_svg(sized, picture)
    require(sized.breaches)
