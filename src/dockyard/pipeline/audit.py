"""One audit: what is audited, where its evidence comes from, the verdicts."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dockyard.audit import gather, judge
from dockyard.audit.rules import ALL
from dockyard.audit.verdict import Report
from dockyard.build import anchor
from dockyard.dockerfile import Dockerfile
from dockyard.image import Image
from dockyard.pipeline import evidence
from dockyard.pipeline.subject import subject_of

if TYPE_CHECKING:
    from dockyard.pipeline.project import Project
    from dockyard.report.audit import Audited


@dataclass(frozen=True, kw_only=True)
class AuditOptions:
    """How an audit is asked for.

    Attributes:
        image: Reference, or path of a saved image; empty is the one that `run` starts.
        dockerfile: Path; empty is the project's, where the image is the project's too.
        rules: Ids or families; empty is all.
        imports: Files with results of other tools.
        static: Whether to start nothing: no build, no container.
    """

    image: str = ""
    dockerfile: str = ""
    rules: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    static: bool = False


def audit_image(project: Project, options: AuditOptions) -> Audited:
    """Judge an image, a Dockerfile, or both.

    Raises:
        SettingsError: A rule, a waiver or a file that was named does not exist.
        EngineError: The engine has no such image.
    """
    from dockyard.report import audit as reports  # noqa: PLC0415 - rich is for those who look
    from dockyard.report import waiting  # noqa: PLC0415

    begun = time.monotonic()
    waivers = project.settings.audit.waivers
    judge.require_known(ALL, waivers)
    rules = judge.select(ALL, options.rules)
    subject = subject_of(project, options.image, options.dockerfile)
    today = datetime.now(UTC).date()
    with ExitStack() as stack, waiting.shown(project.console) as watch:
        sources = evidence.Sources(project, subject, stack, today=today, imports=options.imports, static=options.static)
        found = gather.gather(
            frozenset[str]().union(*(rule.needs() for rule in rules)),
            read=sources.read(),
            tried=sources.tried(),
            release=sources.release,
            watch=watch,
        )
    image, dockerfile = found.get("image"), found.get("dockerfile")
    report = Report(
        image=subject.reference or str(subject.archive or ""),
        digest=(image.digest or image.id) if isinstance(image, Image) else "",
        dockerfile=dockerfile.name if isinstance(dockerfile, Dockerfile) else "",
        seconds=time.monotonic() - begun,
        verdicts=judge.judge(rules, found, waivers=waivers, today=today),
    )
    lines = {}
    if isinstance(image, Image) and isinstance(dockerfile, Dockerfile):
        lines = anchor.lines_of_layers(dockerfile, image)
    return reports.Audited(report=report, rules=rules, lines=lines)
