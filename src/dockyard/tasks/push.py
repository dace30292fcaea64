"""The task that sends the image to its registry."""

from __future__ import annotations

from invoke.context import Context  # noqa: TC002 - Invoke reads the signature
from invoke.tasks import task

from dockyard.tasks.bridge import as_json, choice, command, opened

SIGNERS = ("auto", "cosign", "notation", "off")


@task(
    help={
        "repository": "where to, for instance registry.corp/team/api. Default: that of the settings",
        "tag": "tag it gets there; may be given again. Default: those of the settings",
        "image": "push this image instead of the project's own",
        "overwrite": "take a tag that names another image",
        "sign": "auto, cosign, notation or off. Default: that of the settings",
        "format": "table or json",
    },
    iterable=["tag"],
)
@command
def push(
    _: Context,
    repository: str = "",
    tag: list[str] | None = None,
    image: str = "",
    overwrite: bool = False,
    sign: str = "",
    format: str = "table",
) -> None:
    """Push the image by tag and digest, read it back, sign it."""
    from dockyard.pipeline import push as pushing
    from dockyard.report import push as reports

    plain = as_json(format)
    if sign:
        choice("sign", sign, SIGNERS)
    options = pushing.PushOptions(
        image=image, repository=repository, tags=tuple(tag or ()), overwrite=overwrite, sign=sign
    )
    project = opened(quiet=plain)
    reports.show(project.console, pushing.push_image(project, options), as_json=plain)
