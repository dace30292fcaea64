"""The tasks that make this machine ready and build images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from invoke.context import Context  # noqa: TC002 - Invoke reads the signature
from invoke.tasks import task

from dockyard.errors import SettingsError
from dockyard.tasks.bridge import as_json, choice, command, opened

PRESETS = ("gha", "registry", "local", "s3")
PROGRESS = ("auto", "tty", "plain", "quiet")


@task(
    help={
        "check": "only look; exit 3 if something is missing",
        "python": "Python to get a base image for; may be given again. Default: that of the image",
        "every": "get a base image for every Python of the matrix",
        "format": "table or json",
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

    plain = as_json(format)
    project = opened({"pythons": python}, quiet=plain)
    settings = project.settings
    wanted = pipeline.wanted(settings, settings.pythons if python or every else (settings.python,))
    if check:
        findings = machine.look(wanted, project.engine)
    else:
        findings = machine.prepare(wanted, project.engine, project.console.note)
    tables.findings(project.console, findings, as_json=plain)
    machine.require(findings)


@task(
    help={
        "python": "Python of the image, for instance 3.13",
        "tag": "tag in place of the settings' own",
        "platform": "platform, for instance linux/arm64; may be given again",
        "target": "build up to this stage only, and tag it with its own name",
        "builder": "buildx builder",
        "cache": "keep layers beyond the builder: gha, registry, local or s3",
        "no-cache": "run every step",
        "pull": "look for a newer base image",
        "reproducible": "the same sources give the same digest, on whatever day and machine; runs every step",
        "provenance": "off, min or max: what BuildKit attests of the build. Default: that of the settings",
        "offline": "build from a bundle, without any network",
        "bundle": "that bundle",
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
    cache: str = "",
    no_cache: bool = False,
    pull: bool = False,
    reproducible: bool = False,
    provenance: str = "",
    offline: bool = False,
    bundle: str = "",
    build_arg: list[str] | None = None,
    progress: str = "auto",
) -> None:
    """Build the image with BuildKit."""
    from dockyard import pipeline

    choice("progress", progress, PROGRESS)
    if cache:
        choice("cache", cache, PRESETS)
    _require_both(offline=offline, bundle=bundle, pull=pull)
    arguments: dict[str, Any] = {
        "python": python,
        "tag": tag,
        "build.platforms": platform,
        "build.builder": builder,
        "build.provenance": provenance,
        "cache.preset": cache,
        **pipeline.build_arguments(build_arg or []),
    }
    prod = bool(tag) or not python or python == opened().settings.python
    options = pipeline.BuildOptions(prod=prod, stage=target, cache=not no_cache, pull=pull, reproducible=reproducible)
    if offline:
        from dockyard.pipeline.offline import build_offline

        build_offline(opened(arguments), Path(bundle), options, progress=progress)
    else:
        pipeline.build_image(opened(arguments), options, progress=progress)


def _require_both(*, offline: bool, bundle: str, pull: bool) -> None:
    """Refuse an offline build that has nothing to build from, and one that is to ask a registry."""
    if offline != bool(bundle):
        raise SettingsError(
            "--offline and --bundle belong together.",
            "One says that there is no network, the other what there is in its place.",
            "Write `invoke build --offline --bundle FILE`; `invoke bundle` makes that file.",
        )
    if offline and pull:
        raise SettingsError(
            "--pull needs a registry.", "--offline has none.", "Leave out --pull: the base is in the bundle."
        )
