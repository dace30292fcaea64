"""One audit: what is audited, where its evidence comes from, the verdicts."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.audit import gather, judge
from dockyard.audit.rules import ALL
from dockyard.audit.verdict import Report
from dockyard.build import anchor
from dockyard.dockerfile import Dockerfile
from dockyard.errors import EngineError, SettingsError
from dockyard.image import Image
from dockyard.pipeline import evidence
from dockyard.plan import PROJECT

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
    subject = subject_of(project, options)
    today = datetime.now(UTC).date()
    with ExitStack() as stack, waiting.shown(project.console) as watch:
        sources = evidence.Sources(project, subject, stack, today=today)
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


def subject_of(project: Project, options: AuditOptions) -> evidence.Subject:
    """Return what is audited; refuse an image or a Dockerfile that is not there before anything is begun."""
    settings = project.settings
    given = Path(options.dockerfile) if options.dockerfile else None
    if given and not given.is_file():
        raise SettingsError(f"There is no Dockerfile {given}.", "--dockerfile names it.", "Correct the path.")
    subject = evidence.Subject(imports=tuple(Path(name) for name in options.imports), static=options.static)
    if options.image and Path(options.image).is_file():
        subject = replace(subject, archive=Path(options.image))
    elif options.image or not given:
        reference = options.image or settings.reference
        subject = replace(subject, reference=reference, ours=_is_ours(project, reference))
    if given or subject.ours:
        subject = replace(subject, dockerfile=(given or settings.root / settings.build.dockerfile).resolve())
    return subject


def _is_ours(project: Project, reference: str) -> bool:
    """Whether the engine's image is one that this project built; raise EngineError if it has none of that name."""
    facts = project.engine.daemon.image(reference)
    if facts is None:
        own = reference == project.settings.reference
        todo = "Run `invoke build` first." if own else f"Pull it first: `docker pull {reference}`."
        raise EngineError(f"There is no image {reference}.", "The engine does not have it.", todo)
    return facts.labels.get(PROJECT) == project.settings.image
