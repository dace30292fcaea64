"""The task that takes the image past one machine."""

from __future__ import annotations

from pathlib import Path

from invoke.context import Context  # noqa: TC002 - Invoke reads the signature
from invoke.tasks import task

from dockyard.errors import SettingsError
from dockyard.tasks.bridge import choice, command, opened
from dockyard.tasks.container import ENV_FILE


@task(
    help={
        "to": "kubernetes, compose or swarm",
        "image": "this image, by digest: registry.corp/team/api@sha256:…",
        "overlay": "the environment to apply, for instance staging. Default: the base",
        "context": "kubectl's context; with --to kubernetes --apply",
        "allow-tag": "be content with a tag where no digest can be had",
        "check": "write nothing; say whether the files are what the settings say, and apply them only then",
        "apply": "bring it up too, wait until it serves, and take it back if it does not",
        "force": "overwrite files that were edited by hand",
        "init": "make a swarm if the engine is in none",
        "rotate-key": "give the swarm a new version of the API key",
        "env-file": ENV_FILE,
    }
)
@command
def deploy(
    _: Context,
    to: str = "",
    image: str = "",
    overlay: str = "",
    context: str = "",
    allow_tag: bool = False,
    check: bool = False,
    apply: bool = False,
    force: bool = False,
    init: bool = False,
    rotate_key: bool = False,
    env_file: str = "",
) -> None:
    """Write what an orchestrator needs, and bring the image there."""
    from dockyard.deploy import TARGETS
    from dockyard.deploy.files import require_current
    from dockyard.pipeline import asker
    from dockyard.pipeline import deploy as deploying
    from dockyard.report import deploy as reports

    choice("to", to, tuple(TARGETS))
    if (init or rotate_key or env_file) and (to != "swarm" or not apply):
        raise SettingsError(
            "--init, --rotate-key and --env-file are for a swarm.",
            "Only there does dockyard bring the key itself.",
            "Say `--to swarm --apply` too, or leave them out.",
        )
    if check and force:
        raise SettingsError("--check writes nothing.", "So there is nothing to --force.", "Leave one of them out.")
    if overlay and not apply:
        raise SettingsError("--overlay says what is applied.", "All of them are written.", "Say --apply too.")
    if context and (to != "kubernetes" or not apply):
        raise SettingsError(
            "--context is for kubectl.", "It is asked for `--to kubernetes --apply` only.", "Say so, or leave it out."
        )
    project = opened({"deploy.context": context})
    options = deploying.DeployOptions(
        to=to,
        image=image,
        overlay=overlay,
        allow_tag=allow_tag,
        force=force,
        init=init,
        rotate_key=rotate_key,
        env_file=Path(env_file) if env_file else None,
        ask=asker(),
    )
    deploying.require_overlay(project, options)
    if check:
        compared = deploying.check_files(project, options)
        reports.checked(project.console, compared, project.settings)
        require_current(compared, to)
    else:
        reports.written(project.console, deploying.write_files(project, options), project.settings)
    if apply:
        reports.deployed(project.console, deploying.bring_up(project, options))
