"""The task of the caches: what they keep, what pays off, what goes; and cache mounts carried to another builder."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context  # noqa: TC002 - Invoke reads the signature
from invoke.tasks import task

from dockyard.errors import SettingsError
from dockyard.tasks.bridge import as_json, command, opened

if TYPE_CHECKING:
    from dockyard.cache.inventory import Policy
    from dockyard.pipeline import Project

DURATION = re.compile(r"(\d+[smhd])+")
SIZE = re.compile(r"\d+[kmg]")


@task(
    # Invoke would give --keep-storage a dash for its letter.
    auto_shortflags=False,
    help={
        "export": "write what is in the cache mounts to this file",
        "import": "put what this file holds into the cache mounts",
        "key": "print the name of the cache mounts' contents, for the `key` of a CI's cache",
        "prune": "empty the cache mounts and remove exported layers, after a question that names them",
        "older": "prune only what no build had for so long, for instance 7d",
        "keep-storage": "prune only until no more than this is left, for instance 5g",
        "layers": "prune the builder's own results too, which may make other projects' steps run again",
        "yes": "answer that question with yes",
        "format": "table or json",
    },
)
@command
def cache(
    _: Context,
    export: str = "",
    import_: str = "",
    key: bool = False,
    prune: bool = False,
    older: str = "",
    keep_storage: str = "",
    layers: bool = False,
    yes: bool = False,
    format: str = "table",
) -> None:
    """Say what the caches keep and save, carry cache mounts, prune."""
    from dockyard.pipeline import caches, mounts
    from dockyard.report import cache as reports

    plain = as_json(format)
    if bool(export) + bool(import_) + key + prune > 1:
        raise SettingsError(
            "It is not clear what is meant.",
            "--export, --import, --key and --prune are each a task of their own.",
            "Give one of them.",
        )
    policy = _policy(older, keep_storage, layers=layers, prune=prune, yes=yes)
    project = opened(quiet=plain)
    if key:
        project.console.say(mounts.mounts_key(project))
    elif export:
        reports.exported(project.console, mounts.export_mounts(project, reports.target(Path(export))), as_json=plain)
    elif import_:
        reports.imported(project.console, mounts.import_mounts(project, Path(import_)), as_json=plain)
    elif prune:
        _prune(project, policy, yes=yes)
    else:
        reports.show(project.console, caches.inventory(project), as_json=plain)


def _policy(older: str, keep: str, *, layers: bool, prune: bool, yes: bool) -> Policy:
    from dockyard.cache.inventory import Policy
    from dockyard.dockerfile.duration import seconds
    from dockyard.units import limit

    if not prune and (older or keep or layers or yes):
        raise SettingsError(
            "Nothing is pruned without --prune.",
            "--older, --keep-storage, --layers and --yes say how.",
            "Add --prune, or leave them out.",
        )
    for flag, given, form, example in (("older", older, DURATION, "7d"), ("keep-storage", keep, SIZE, "5g")):
        if given and not form.fullmatch(given.lower()):
            raise SettingsError(f"--{flag} {given} is unknown.", f"It is written as {example}.", "Correct it.")
    return Policy(older=int(seconds(older.lower())), keep=limit(keep.lower()) if keep else None, layers=layers)


def _prune(project: Project, policy: Policy, *, yes: bool) -> None:
    from dockyard.cache.inventory import chosen
    from dockyard.pipeline import caches
    from dockyard.report import cache as reports

    if not yes and not sys.stdin.isatty():
        raise SettingsError(
            "Nothing was removed: caches are, only after a question.",
            "Standard input is no terminal, so nobody can answer it.",
            "Say `invoke cache --prune --yes`, or leave --prune out.",
        )
    going = chosen(caches.inventory(project), policy)
    if not going:
        project.console.say("Nothing is to go.")
        return
    reports.going(project.console, going)
    if not yes and not reports.confirmed(project.console):
        project.console.note("Nothing was removed.")
        return
    for line in caches.prune(project, going):
        project.console.say(line)
