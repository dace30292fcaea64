"""Records of builds -> why each step ran; the working tree -> what a build would run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard import context, explain
from dockyard.errors import SettingsError
from dockyard.pipeline.planned import planned

if TYPE_CHECKING:
    from dockyard.pipeline.project import Project
    from dockyard.plan import BuildPlan


@dataclass(frozen=True, kw_only=True)
class ExplainOptions:
    """How an explanation is asked for.

    Attributes:
        record: Which build: the beginning of its record's name, or how many builds it is back.
        against: The build it is compared with, named likewise; empty is the one before it that is of its kind.
        foretell: Whether to say what a build would do, in place of what one did.
        edited: Files that are taken for edited then; none is the working tree as it is.
    """

    record: str = "0"
    against: str = ""
    foretell: bool = False
    edited: tuple[str, ...] = ()


def explain_build(project: Project, options: ExplainOptions) -> explain.Explanation:
    """Say why each step of a build ran, or what a build would run.

    Raises:
        SettingsError: There is no such record, or no such file.
        EngineError: There is no base to plan a build with.
    """
    records = explain.Records(project.state)
    if options.foretell:
        return _foretold(project, records, options)
    record = records.named(options.record)
    against = records.named(options.against) if options.against else records.like(record.graph, before=record.name)
    return explain.tell(record, against, explain.Store(project.state), history=list(records))


def timeline_of(project: Project, record: str) -> tuple[str, tuple[explain.Span, ...]]:
    """Return what a build is called, and when each of its steps ran; raise SettingsError if there is no such record."""
    found = explain.Records(project.state).named(record)
    return f"{found.image}: build {found.name}", explain.timeline(found.steps)


def _foretold(project: Project, records: explain.Records, options: ExplainOptions) -> explain.Explanation:
    history = list(records)
    with planned(project, builds=False) as plan:
        edited = list(dict.fromkeys(name for each in options.edited for name in _below(each, plan)))
        graph = explain.gather(
            plan,
            state=project.state,
            image=project.engine.daemon.image,
            builder=_builder(project, plan, records),
            edited=edited,
            keep=False,
        )
        against = records.named(options.against) if options.against else records.like(graph)
        told = explain.forecast(graph, history, against, explain.Store(project.state), image=plan.tags[0])
        return replace(told, unused=tuple(_unused(plan, graph, edited)))


def _builder(project: Project, plan: BuildPlan, records: explain.Records) -> str:
    """Return who would build, as records name it; buildx is asked only where its answer can be compared with theirs."""
    last = records.last()
    told = plan.builder or (last.graph.builder if last else "")
    return told if plan.builder or not told else project.engine.buildx.current()


def _below(name: str, plan: BuildPlan) -> list[str]:
    """Return the files that a path names, below the context; a link there stands for the file that is edited by it.

    Raises:
        SettingsError: There is no such file, or it is outside the context.
    """
    path, root = Path(name).absolute(), plan.context
    if not path.exists():
        raise SettingsError(f"There is no file {name}.", "--what-if names it.", "Name a file, or a folder of files.")
    if path.resolve() in (plan.dockerfile, context.effective(plan.context, plan.dockerfile).file):
        return [_place(path.resolve(), root)]
    if not (path.is_relative_to(root) or path.resolve().is_relative_to(root)):
        raise SettingsError(
            f"{name} is no file of the build.", f"The context is {root}.", "Name a file or a folder in it."
        )
    found = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
    return [_place(each.resolve() if each.resolve().is_relative_to(root) else each, root) for each in found]


def _place(path: Path, root: Path) -> str:
    """Return where a file is, from the context on; one that is not in there has its whole path."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _unused(plan: BuildPlan, graph: explain.Graph, edited: list[str]) -> list[tuple[str, str]]:
    """Return the files that no step takes, and why."""
    ignore = context.effective(plan.context, plan.dockerfile)
    deciding = {_place(each, plan.context) for each in (plan.dockerfile, ignore.file) if each}
    found = []
    for name in edited:
        if name in graph.edited:
            continue
        if name in deciding:
            found.append((name, "what an edit of it runs depends on the edit: make it, then ask with --what-if alone"))
        else:
            pattern = ignore.deciding(name)
            kept_out = pattern is not None and not pattern.exception
            reason = f"{graph.ignore_name}:{pattern.line} keeps it out ({pattern.text})" if pattern and kept_out else ""
            found.append((name, reason or "no instruction of the stages that are built takes it"))
    return found
