"""The Invoke tasks: parse, call, print. A project takes them with `from dockyard.tasks import namespace`.

Nothing heavy is imported here: `invoke --list` must cost no more than it does for an empty tasks.py.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.collection import Collection
from invoke.context import Context  # noqa: TC002 - Invoke reads the signature
from invoke.exceptions import Exit
from invoke.tasks import task

from dockyard.errors import DockyardError, Interrupted, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.pipeline import Project
    from dockyard.smoke import Result

FORMATS = ("table", "json")
PYTHON = "Python of the image, for instance 3.13"
DEV = "the development container instead of the production one"
FORMAT = "table or json"
QUIET = "say nothing but results and errors"


def command(body: Callable[..., None]) -> Callable[..., None]:
    """Make a task of a function, and turn every error into its message and exit code, once for all of them."""

    @functools.wraps(body)
    def bridged(context: Context, **arguments: Any) -> None:
        try:
            body(context, **arguments)
        except DockyardError as error:
            _fail(error)
        except KeyboardInterrupt:
            _fail(Interrupted("Stopped.", "Ctrl-C was pressed.", "Nothing else was changed."))
        except Exit:
            raise
        except Exception as error:
            _fail(_bug(error))

    return bridged


def _fail(error: DockyardError) -> None:
    from dockyard.report.console import Console

    Console().error(error)
    raise Exit(code=error.exit_code) from None


def _bug(error: Exception) -> DockyardError:
    """Keep the traceback in a file, and say where it is."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="dockyard-", suffix=".txt", delete=False, encoding="utf-8") as report:
        traceback.print_exception(error, file=report)
    return DockyardError(
        "This is a mistake in dockyard, not yours.",
        f"{type(error).__name__}: {error}",
        f"Please report it with {report.name}, after a look that it holds nothing private.",
    )


def _open(arguments: dict[str, Any] | None = None, *, quiet: bool = False) -> Project:
    from dockyard import pipeline

    return pipeline.open_project(arguments, quiet=quiet)


def _format(chosen: str) -> bool:
    """Whether JSON is wanted; refuse what is neither."""
    if chosen not in FORMATS:
        raise SettingsError(
            f"There is no format {chosen}.", f"The formats are {', '.join(FORMATS)}.", "Take one of them."
        )
    return chosen == "json"


@task(
    help={
        "check": "only look; exit 3 if something is missing",
        "python": "Python to get a base image for; may be given again. Default: that of the image",
        "every": "get a base image for every Python of the matrix",
        "format": FORMAT,
    },
    iterable=["python"],
)
@command
def setup(
    _: Context, check: bool = False, python: list[str] | None = None, every: bool = False, format: str = "table"
) -> None:
    """Make this machine ready: engine, buildx, base images."""
    from dockyard import machine, pipeline
    from dockyard.report import tables

    as_json = _format(format)
    project = _open(quiet=as_json)
    settings = project.settings
    pythons = tuple(python or ()) or (settings.pythons if every else (settings.python,))
    wanted = pipeline.wanted(settings, pythons)
    if check:
        findings = machine.look(wanted, project.engine)
    else:
        findings = machine.prepare(wanted, project.engine, project.console.note)
    tables.findings(project.console, findings, as_json=as_json)
    machine.require(findings, every=not every)


@task(
    help={
        "python": PYTHON,
        "tag": "tag in place of the settings' own",
        "platform": "platform, for instance linux/arm64; may be given again",
        "target": "stage to build",
        "builder": "buildx builder",
        "no-cache": "run every step",
        "pull": "look for a newer base image",
        "build-arg": "NAME=value; may be given again",
        "progress": "auto, tty, plain or quiet",
    },
    iterable=["platform", "build_arg"],
)
@command
def build(
    _: Context,
    python: str = "",
    tag: str = "",
    platform: list[str] | None = None,
    target: str = "",
    builder: str = "",
    no_cache: bool = False,
    pull: bool = False,
    build_arg: list[str] | None = None,
    progress: str = "auto",
) -> None:
    """Build the image with BuildKit."""
    from dockyard import pipeline

    arguments: dict[str, Any] = {
        "python": python,
        "tag": tag,
        "build.platforms": platform,
        "build.target": target,
        "build.builder": builder,
        **pipeline.build_arguments(build_arg or []),
    }
    options = pipeline.BuildOptions(
        prod=bool(tag) or python in ("", _open().settings.python), cache=not no_cache, pull=pull, progress=progress
    )
    pipeline.build_image(_open(arguments), options)


@task(
    help={
        "prod": "the hardened production container; without it the development one, with your sources mounted",
        "port": "host port; 0 takes a free one",
        "name": "name of the container",
        "env-file": "file with an API_KEY=… line",
        "tag": "tag of the image",
        "quiet": QUIET,
    }
)
@command
def run(
    _: Context,
    prod: bool = False,
    port: str = "",
    name: str = "",
    env_file: str = "",
    tag: str = "",
    quiet: bool = False,
) -> None:
    """Start the container and wait until it is healthy."""
    from dockyard import pipeline
    from dockyard.report import tables

    section = "run" if prod else "dev"
    project = _open({f"{section}.port": port, f"{section}.name": name, "tag": tag}, quiet=quiet)
    if prod:
        started = pipeline.start_production(
            project, env_file=Path(env_file) if env_file else None, ask=pipeline.asker()
        )
    else:
        started = pipeline.start_development(project)
    tables.started(project.console, started)


@task(help={"env-file": "file with an API_KEY=… line"})
@command
def up(_: Context, env_file: str = "") -> None:
    """Build, run in production, and show one answered prediction."""
    from dockyard import pipeline
    from dockyard.report import tables

    project = _open()
    pipeline.build_image(project, pipeline.BuildOptions())
    if not env_file:
        pipeline.keep_key(project)
    started = pipeline.start_production(project, env_file=Path(env_file) if env_file else None)
    tables.started(project.console, started)
    request, answer = pipeline.first_prediction(project)
    tables.prediction(project.console, request, answer, started)


@task(help={"dev": DEV, "format": FORMAT})
@command
def status(_: Context, dev: bool = False, format: str = "table") -> None:
    """Say how the container is."""
    from dockyard import pipeline
    from dockyard.report import tables

    as_json = _format(format)
    project = _open()
    tables.status(project.console, pipeline.status(project, dev=dev), as_json=as_json)


@task(help={"follow": "go on until it ends or Ctrl-C", "lines": "how many of the last lines", "dev": DEV})
@command
def logs(_: Context, follow: bool = False, lines: int = 100, dev: bool = False) -> None:
    """Print the container's log."""
    from dockyard import pipeline

    project = _open()
    facts = pipeline.own(project, dev=dev)
    project.console.lines(project.engine.daemon.logs(facts.id, lines=lines, follow=follow))


@task(help={"dev": DEV})
@command
def shell(_: Context, dev: bool = False) -> None:
    """Open a Python shell in the container."""
    from dockyard import pipeline

    project = _open()
    project.engine.buildx.shell(pipeline.own(project, dev=dev).id, ["python"])


@task(help={"dev": DEV})
@command
def stop(_: Context, dev: bool = False) -> None:
    """Stop the container gracefully; it stays, to be looked at."""
    from dockyard import pipeline, run

    project = _open()
    facts = pipeline.own(project, dev=dev)
    code = run.stop(facts, seconds=project.settings.run.stop_timeout, engine=project.engine)
    project.console.note(f"{facts.name} stopped, exit code {code}.")


@task(
    help={
        "build": "build the image first, and probe that one",
        "python": f"{PYTHON}; probes that image instead of the running container",
        "image": "probe this image instead of the running container",
        "format": FORMAT,
    }
)
@command
def smoke(_: Context, build: bool = False, python: str = "", image: str = "", format: str = "table") -> None:
    """Ask the service what its users and its orchestrator will ask."""
    from dockyard import pipeline
    from dockyard.report import tables
    from dockyard.smoke import require

    as_json = _format(format)
    project = _open({"python": python}, quiet=as_json)
    if build:
        pipeline.build_image(project, pipeline.BuildOptions(prod=False))
    announce: Callable[[Result], None] = tables.announcer(project.console, as_json=as_json)
    if image or build or python:
        results = pipeline.smoke_image(project, image or project.settings.matrix_reference, announce)
    else:
        results = pipeline.smoke_running(project, announce)
    if as_json:
        project.console.document(results)
    require(results)


@task(help={"images": "remove the images too"})
@command
def clean(_: Context, images: bool = False) -> None:
    """Remove the containers this project made; logs and key stay."""
    from dockyard import pipeline

    project = _open()
    for line in pipeline.clean(project, images=images):
        project.console.say(line)


@task(help={})
@command
def settings(_: Context) -> None:
    """Print every setting, its value and where it came from."""
    from dockyard.report import tables

    project = _open()
    tables.settings(project.console, project.loaded)


namespace = Collection(setup, build, run, up, status, logs, shell, stop, smoke, clean, settings)
