"""The task that says why a build ran what it ran."""

from __future__ import annotations

from pathlib import Path

from invoke.context import Context  # noqa: TC002 - Invoke reads the signature
from invoke.tasks import task

from dockyard.tasks.bridge import choice, command, opened

FORMATS = ("table", "json", "markdown")


@task(
    help={
        "record": "explain this build: how many builds it is back, or the beginning of its record's name. Default: 0",
        "against": "compare with this build, named likewise. Default: the one before it that is of its kind",
        "what-if": "say what an edit of this file or folder would run; without a name, what a build would run now",
        "more": "one more file for --what-if; may be given again",
        "python": "Python of the image that --what-if is about",
        "timeline": "show when each step ran, and which ones the build waited for",
        "svg": "write the timeline to this file, as a picture",
        "format": "table, json or markdown",
    },
    optional=["what_if"],
    iterable=["more"],
)
@command
def explain(
    _: Context,
    record: str = "0",
    against: str = "",
    what_if: str | bool = "",
    more: list[str] | None = None,
    python: str = "",
    timeline: bool = False,
    svg: str = "",
    format: str = "table",
) -> None:
    """Say why each step of a build ran or was cached."""
    from dockyard.pipeline import explain as explaining
    from dockyard.report import explain as reports
    from dockyard.report import timeline as waterfall

    choice("format", format, FORMATS)
    if timeline or svg:
        target = waterfall.target(Path(svg)) if svg else None
        project = opened()
        title, spans = explaining.timeline_of(project, record)
        waterfall.show(project.console, spans)
        if target:
            target.write_text(waterfall.svg(spans, title), "utf-8")
        return
    named = [what_if] if isinstance(what_if, str) and what_if else []
    options = explaining.ExplainOptions(
        record=record,
        against=against,
        foretell=bool(what_if or more),
        edited=(*named, *(more or [])),
    )
    project = opened({"python": python}, quiet=format != "table")
    reports.show(project.console, explaining.explain_build(project, options), format)
