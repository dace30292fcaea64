"""The task that explains a broken service."""

from __future__ import annotations

from invoke.context import Context  # noqa: TC002 - Invoke reads the signature
from invoke.tasks import task

from dockyard.tasks.bridge import as_json, command, opened


@task(
    help={
        "dev": "the development container instead of the production one",
        "format": "table or json",
    }
)
@command
def doctor(_: Context, dev: bool = False, format: str = "table") -> None:
    """Say what is wrong with the service, from the outside in."""
    from dockyard.pipeline.doctor import examine
    from dockyard.report import doctor as reports
    from dockyard.run.examined import require_sound

    plain = as_json(format)
    project = opened(quiet=plain)
    examined = examine(project, dev=dev)
    reports.show(project.console, examined, as_json=plain)
    require_sound(examined, dev=dev)
