"""The task that builds twice."""

from __future__ import annotations

from invoke.context import Context  # noqa: TC002 - Invoke reads the signature
from invoke.tasks import task

from dockyard.tasks.bridge import as_json, choice, command, opened
from dockyard.tasks.image import PROGRESS


@task(
    help={
        "python": "Python of the image, for instance 3.13",
        "against": "build once, and compare with this image of the engine, or saved image (.tar)",
        "target": "build up to this stage only",
        "builder": "buildx builder",
        "progress": "auto, tty, plain or quiet",
        "format": "table or json",
    },
)
@command
def reproduce(
    _: Context,
    python: str = "",
    against: str = "",
    target: str = "",
    builder: str = "",
    progress: str = "auto",
    format: str = "table",
) -> None:
    """Build twice, and say where the images differ and why."""
    from dockyard.pipeline.reproduce import ReproduceOptions, reproduce_image, require_same
    from dockyard.report import reproduce as reports

    choice("progress", progress, PROGRESS)
    plain = as_json(format)
    options = ReproduceOptions(stage=target, against=against, progress=progress)
    project = opened({"python": python, "build.builder": builder}, quiet=plain)
    rebuilt = reproduce_image(project, options)
    reports.show(project.console, rebuilt, against=against, as_json=plain)
    require_same(rebuilt, options)
