"""The tasks that look at a container and change nothing: its state, its log, what it uses."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from invoke.context import Context  # noqa: TC002 - Invoke reads the signature
from invoke.tasks import task

from dockyard.tasks.bridge import as_json, choice, command, opened, whole_number

DEV = "the development container instead of the production one"
FORMAT = "table or json"
LINES = 100


@task(help={"dev": DEV, "format": FORMAT})
@command
def status(_: Context, dev: bool = False, format: str = "table") -> None:
    """Say how the container is, and its drift from the settings."""
    from dockyard.pipeline import observe
    from dockyard.report import status as reports

    plain = as_json(format)
    project = opened()
    state = observe.status(project, dev=dev)
    if plain:
        project.console.document(reports.document(state))
    else:
        reports.show(project.console, state)


@task(
    help={
        "follow": "go on until Ctrl-C, with whatever container takes its place",
        "lines": "how many of the last lines; 100 if neither this nor --since is given",
        "since": "only lines since then: 10m, 1h30m, 08:00, 2026-11-23T08:00",
        "level": "only lines of this level and above: debug, info, warning, error or critical",
        "request-id": "only lines of this request; the beginning of its id is enough",
        "raw": "as the service wrote them, which is how a pipe gets them anyway",
        "dev": DEV,
    }
)
@command
def logs(
    _: Context,
    follow: bool = False,
    lines: str = "",
    since: str = "",
    level: str = "",
    request_id: str = "",
    raw: bool = False,
    dev: bool = False,
) -> None:
    """Print the container's log."""
    from dockyard.observe.follow import Question
    from dockyard.observe.line import ALIASES, LEVELS, Wanted
    from dockyard.observe.since import parse_since
    from dockyard.pipeline import observe
    from dockyard.report import logs as reports

    least = choice("level", ALIASES.get(level, level), LEVELS) if level else ""
    wanted = Wanted(level=least, request_id=request_id)
    begin = parse_since(since, now=datetime.now().astimezone()) if since else ""
    project = opened()
    names = project.settings.logs
    question = Question(
        since=begin,
        lines=whole_number("lines", lines) if lines else None if since else LINES,
        takes=None if wanted.everything else lambda text: wanted.takes(text, names),
    )
    # Ctrl-C is how a followed log is left: nothing was stopped by it.
    with suppress(KeyboardInterrupt):
        reports.show(project.console, observe.log(project, question, dev=dev, onwards=follow), names, raw=raw)


@task(help={"once": "one sample, which is what a pipe gets anyway", "dev": DEV, "format": FORMAT})
@command
def stats(_: Context, once: bool = False, dev: bool = False, format: str = "table") -> None:
    """Show what the container uses, each second."""
    from dockyard.pipeline import observe
    from dockyard.report import stats as reports

    plain = as_json(format)
    project = opened()
    if plain or once or not project.console.terminal:
        facts, usage = observe.usage(project, dev=dev)
        if plain:
            project.console.document(reports.document(facts, usage))
        else:
            reports.show(project.console, facts, usage)
        return
    with suppress(KeyboardInterrupt):
        reports.watch(project.console, observe.usages(project, dev=dev))
