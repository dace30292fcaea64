"""The layer cache of one build: whether it can be had here, and of which branch."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from dockyard import plan, revision
from dockyard.errors import EngineError, SettingsError
from dockyard.settings.sources import process_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.pipeline.project import Project

# What CI systems call the branch, since they check out a commit: of a pull request its own one, not that of its merge.
BRANCHES = ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME", "BUILD_SOURCEBRANCHNAME", "BRANCH_NAME")
TOKEN = "ACTIONS_RUNTIME_TOKEN"  # noqa: S105 - the name of a variable
SERVICES = ("ACTIONS_RESULTS_URL", "ACTIONS_CACHE_URL")
# The first release of buildx that speaks the second version of GitHub's cache service; github.com has no other one.
SECOND_VERSION = (0, 21, 0)
SECOND_ENGINE = 28
TO_GITHUB = "Put the action `crazy-max/ghaction-github-runtime` before it: it hands a job's token to its `run` steps."


def with_layers(project: Project, asked: plan.BuildPlan, options: plan.BuildOptions) -> plan.BuildPlan:
    """Return a build with the layer cache that the settings ask for; a reproducible one leaves every cache alone.

    Raises:
        EngineError: The builder, or buildx, cannot do it.
        SettingsError: Something is missing that it needs.
    """
    settings = project.settings
    preset = settings.cache.preset
    if not preset or options.reproducible:
        return asked
    environment = process_environment()
    if preset == "gha" and environment.get("GITHUB_ACTIONS") != "true" and not environment.get(TOKEN):
        project.console.note("Cache gha: left out, since this is no job of GitHub Actions.", style="yellow")
        return asked
    layers = plan.layer_cache(settings, branch=_branch(project, environment), stage=options.stage)
    if preset == "gha":
        _require_github(project, asked, environment)
    _require_driver(project, asked, exports=settings.cache.export)
    return replace(asked, layers=layers)


def _branch(project: Project, environment: Mapping[str, str]) -> str:
    """Return the branch that is built; empty where nobody knows."""
    told = next((value for name in BRANCHES if (value := environment.get(name))), "")
    return re.sub(r"^refs/heads/", "", told) or revision.branch(project.settings.root)


def _require_github(project: Project, asked: plan.BuildPlan, environment: Mapping[str, str]) -> None:
    """Refuse a job of GitHub Actions whose cache cannot be reached: it would be slow for ever and nobody would know."""
    missing = [] if environment.get(TOKEN) else [TOKEN]
    missing += [] if any(map(environment.get, SERVICES)) else [SERVICES[0]]
    if missing:
        raise SettingsError(
            "GitHub's cache cannot be reached from this step.", f"Not set: {', '.join(missing)}.", TO_GITHUB
        )
    if not environment.get("ACTIONS_CACHE_SERVICE_V2"):
        return
    version = project.engine.buildx.version() or ()
    if version < SECOND_VERSION:
        _refuse_old(
            f"It is buildx {'.'.join(map(str, version))}; 0.21 is the first that knows the cache service of today."
        )
    if asked.driver == "docker":
        engine = project.engine.daemon.server().version
        if int(engine.partition(".")[0]) < SECOND_ENGINE:
            _refuse_old(
                f"It is that of Docker {engine}; that of 28 is the first that knows the cache service of today."
            )


def _refuse_old(why: str) -> NoReturn:
    raise EngineError(
        "This builder does not speak with GitHub's cache.",
        why,
        "Take a newer one, with `docker/setup-buildx-action` for instance.",
    )


def _require_driver(project: Project, asked: plan.BuildPlan, *, exports: bool) -> None:
    """Refuse what the engine's own builder cannot do; builders of the other drivers do all of it."""
    if asked.driver != "docker":
        return
    preset = project.settings.cache.preset
    if preset == "s3":
        why, more = "The engine's own builder (driver docker) has no s3.", ""
    elif exports and not project.engine.daemon.server().containerd_store:
        why = "The engine's own builder (driver docker) exports no layers from the classic image store."
        more = ", or switch the engine's containerd image store on"
    else:
        return
    raise EngineError(
        f"The builder {asked.builder or 'in use'} cannot keep layers in the cache {preset}.",
        why,
        f"Take a builder of its own, `docker buildx create --use`{more}.",
    )
