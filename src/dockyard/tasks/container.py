"""The tasks that run containers, ask them, and put them away."""

from __future__ import annotations

import sys
from pathlib import Path

from invoke.context import Context  # noqa: TC002 - Invoke reads the signature
from invoke.tasks import task

from dockyard.errors import SettingsError
from dockyard.tasks.bridge import as_json, command, opened

DEV = "the development container instead of the production one"
FORMAT = "table or json"
ENV_FILE = "file with an API_KEY=… line"


@task(
    help={
        "prod": "the hardened production container; without it the development one, with your sources mounted",
        "port": "host port; 0 takes a free one",
        "name": "name of the container",
        "env-file": f"{ENV_FILE}; with --prod",
        "tag": "tag of the image",
        "quiet": "say nothing but results and errors",
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

    if env_file and not prod:
        raise SettingsError(
            "--env-file is for --prod.",
            "The development container has the key of [tool.dockyard.dev].",
            "Say --prod too, or leave it out.",
        )
    section = "run" if prod else "dev"
    project = opened({f"{section}.port": port, f"{section}.name": name, "tag": tag}, quiet=quiet)
    if prod:
        file = Path(env_file) if env_file else None
        started = pipeline.start_production(project, env_file=file, ask=pipeline.asker())
    else:
        started = pipeline.start_development(project)
    tables.started(project.console, started)


@task(help={"env-file": ENV_FILE})
@command
def up(_: Context, env_file: str = "") -> None:
    """Build, run in production, and show one answered prediction."""
    from dockyard import pipeline
    from dockyard.report import tables

    project = opened()
    pipeline.build_image(project)
    if not env_file:
        pipeline.keep_key(project)
    started = pipeline.start_production(project, env_file=Path(env_file) if env_file else None)
    tables.started(project.console, started)
    answered = pipeline.first_prediction(project)
    if answered:
        tables.prediction(project.console, f"{started.url}{project.settings.smoke.predict}", *answered)
    elif project.settings.smoke.predict:
        project.console.note("No prediction was asked for: `golden` is not set in [tool.dockyard.smoke].")


@task(help={"dev": DEV})
@command
def shell(_: Context, dev: bool = False) -> None:
    """Open a Python shell in the container."""
    from dockyard import pipeline

    if not sys.stdin.isatty():
        raise SettingsError("A shell needs a terminal.", "Standard input is none.", "Run `invoke shell` in a terminal.")
    project = opened()
    project.engine.buildx.shell(pipeline.own(project, dev=dev).name, ["python"])


@task(help={"dev": DEV})
@command
def stop(_: Context, dev: bool = False) -> None:
    """Stop the container gracefully; it stays, to be looked at."""
    from dockyard import pipeline

    project = opened()
    name, code = pipeline.stop(project, dev=dev)
    project.console.note(f"{name} stopped, exit code {code}.")


@task(
    help={
        "build": "build the image first, and probe that one",
        "python": "Python of the image to probe instead of the running container",
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

    plain = as_json(format)
    if image and (build or python):
        raise SettingsError(
            "It is not clear which image is meant.", "--image names one; --build and --python another.", "Give one."
        )
    project = opened({"python": python}, quiet=plain)
    if build:
        pipeline.build_image(project, pipeline.BuildOptions(prod=False))
    announce = tables.announcer(project.console, as_json=plain)
    if image or build or python:
        results = pipeline.smoke_image(project, image or project.settings.matrix_reference, announce)
    else:
        results = pipeline.smoke_running(project, announce)
    if plain:
        project.console.document(results)
    require(results)


@task(
    help={
        "images": "remove the images too",
        "volumes": "remove the volumes too, and what is in them, after a question that names them",
        "yes": "answer that question with yes",
    }
)
@command
def clean(_: Context, images: bool = False, volumes: bool = False, yes: bool = False) -> None:
    """Remove this project's containers; logs, volumes and key stay."""
    from dockyard import pipeline

    if volumes and not yes and not sys.stdin.isatty():
        raise SettingsError(
            "Nothing was removed: volumes are, only after a question.",
            "Standard input is no terminal, so nobody can answer it.",
            "Say `invoke clean --volumes --yes`, or leave --volumes out.",
        )
    project = opened()
    doomed = pipeline.kept_volumes(project)
    if volumes and doomed and not yes and not pipeline.confirmed(project, doomed):
        project.console.note("Nothing was removed.")
        return
    for line in pipeline.clean(project, images=images, volumes=doomed if volumes else ()):
        project.console.say(line)
    for volume, about in () if volumes else doomed.items():
        project.console.note(f"volume {volume} stays{about}")


@task(help={"format": FORMAT})
@command
def settings(_: Context, format: str = "table") -> None:
    """Print every setting, its value and where it came from."""
    from dockyard.report import tables

    plain = as_json(format)
    project = opened()
    tables.settings(project.console, project.loaded, as_json=plain)
