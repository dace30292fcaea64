"""The task that pins base images and requirements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.context import Context  # noqa: TC002 - Invoke reads the signature
from invoke.tasks import task

from dockyard.errors import AuditError, SettingsError
from dockyard.tasks.bridge import as_json, command, opened, whole_number

if TYPE_CHECKING:
    from dockyard.pipeline import Project


@task(
    help={
        "update": "pin anew what is pinned, and say what moved",
        "check": "write nothing; exit 5 if something moved, is stale or not pinned",
        "python": "only the images of this Python; may be given again. Default: all of the settings",
        "dependencies": "compile the locks of requirements anew, instead of the bases",
        "cooldown": "with --dependencies: days since the upload of what may be taken. Default: that of the settings",
        "format": "table or json",
    },
    iterable=["python"],
)
@command
def pin(
    _: Context,
    update: bool = False,
    check: bool = False,
    python: list[str] | None = None,
    dependencies: bool = False,
    cooldown: str = "",
    format: str = "table",
) -> None:
    """Pin images by digest, requirements by hash; say what moved."""
    plain = as_json(format)
    _agree({"--update": update, "--check": check})
    _agree({"--dependencies": dependencies, "--update": update})
    _agree({"--dependencies": dependencies, "--python": bool(python)})
    if cooldown and not dependencies:
        raise SettingsError("--cooldown says nothing here.", "It is for locks.", "Give --dependencies too.")
    project = opened({"pythons": python}, quiet=plain)
    if dependencies:
        days = (
            project.settings.pin.cooldown
            if not cooldown
            else 0
            if cooldown == "0"
            else whole_number("cooldown", cooldown)
        )
        _locks(project, days, check=check, plain=plain)
    else:
        _bases(project, tuple(python or ()), update=update, check=check, plain=plain)


def _agree(flags: dict[str, bool]) -> None:
    """Refuse flags that do not go together."""
    if all(flags.values()):
        both = " and ".join(flags)
        raise SettingsError(f"{both} do not go together.", "They ask for two things.", "Give one of them.")


def _bases(project: Project, pythons: tuple[str, ...], *, update: bool, check: bool, plain: bool) -> None:
    from dockyard import pin as pinning
    from dockyard.pipeline import pin as pipeline
    from dockyard.report import pin as reports

    options = pipeline.PinOptions(pythons=pythons, update=update, check=check)
    outcomes = pipeline.pin_bases(project, options)
    reports.show_bases(project.console, outcomes, project.settings.pin.file, as_json=plain)
    pinning.require(outcomes, check=check)


def _locks(project: Project, cooldown: int, *, check: bool, plain: bool) -> None:
    from dockyard.pipeline import pin as pipeline
    from dockyard.report import pin as reports

    compiled = pipeline.pin_dependencies(project, cooldown=cooldown, check=check)
    reports.show_locks(project.console, compiled, cooldown=cooldown, check=check, as_json=plain)
    differing = ", ".join(each.name for each in compiled if each.differs)
    if check and differing:
        raise AuditError(
            "Locks are not what they would be now.", f"{differing} would change.", "Run `invoke pin --dependencies`."
        )
