"""The task that proves what is said of an image."""

from __future__ import annotations

from pathlib import Path

from invoke.context import Context  # noqa: TC002 - Invoke reads the signature
from invoke.tasks import task

from dockyard.tasks.bridge import choice, command, opened

FORMATS = ("table", "json", "sarif", "junit", "markdown")
SEVERITIES = ("low", "medium", "high", "critical")


@task(
    help={
        "image": "audit this image, or saved image (.tar), instead of the project's own",
        "dockerfile": "audit this Dockerfile instead of the project's own",
        "rule": "only this rule or family, for instance SEED-05 or img; may be given again",
        "import": "results of trivy, grype, hadolint or cosign, as JSON; may be given again",
        "static": "start nothing: no build, no container",
        "explain": "print what a rule asks for, why, and the remedy",
        "list": "print every rule",
        "format": "table, json, sarif, junit or markdown",
        "write": "write a report too: .json, .sarif, .xml (JUnit) or .md; may be given again",
        "fail-on": "least severity of a failed rule that ends with exit code 5. Default: that of the settings",
        "require-all": "a rule that could not be run counts as a failed one",
    },
    iterable=["rule", "import_", "write"],
)
@command
def audit(
    _: Context,
    image: str = "",
    dockerfile: str = "",
    rule: list[str] | None = None,
    import_: list[str] | None = None,
    static: bool = False,
    explain: str = "",
    list: bool = False,
    format: str = "table",
    write: list[str] | None = None,
    fail_on: str = "",
    require_all: bool = False,
) -> None:
    """Prove every claim about the image, with evidence."""
    from dockyard.audit import judge
    from dockyard.audit.rules import ALL
    from dockyard.audit.verdict import Severity
    from dockyard.pipeline.audit import AuditOptions, audit_image
    from dockyard.report import audit as reports

    choice("format", format, FORMATS)
    if fail_on:
        choice("fail-on", fail_on, SEVERITIES)
    if explain or list:
        project = opened()
        reports.explain(project.console, judge.select(ALL, [explain] if explain else rule or []), short=list)
        return
    targets = [reports.target(Path(name)) for name in write or []]
    project = opened({"audit.fail_on": fail_on}, quiet=format != "table")
    options = AuditOptions(
        image=image,
        dockerfile=dockerfile,
        rules=tuple(rule or ()),
        imports=tuple(import_ or ()),
        static=static,
    )
    audited = audit_image(project, options)
    reports.show(project.console, audited, format)
    for target in targets:
        reports.write(audited, target)
    judge.require(audited.report, least=Severity(project.settings.audit.fail_on), everything=require_all)
