"""Whether the build of a project gives the same image twice, or the one that somebody else has."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard import context, reproduce
from dockyard.build.anchor import stages_of
from dockyard.build.archived import require_archives
from dockyard.build.workshop import Workshop
from dockyard.dockerfile import load
from dockyard.errors import AuditError, EngineError
from dockyard.pipeline.planned import planned
from dockyard.plan import BuildOptions
from dockyard.report.words import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from dockyard.build.workshop import Watch
    from dockyard.pipeline.project import Project
    from dockyard.reproduce import Rebuilt


@dataclass(frozen=True, kw_only=True)
class ReproduceOptions:
    """How it is asked for.

    Attributes:
        stage: Build only up to this stage.
        against: Reference of the engine's, or path of a saved image, that one build is compared with; empty builds
            twice.
        progress: `auto`, `tty`, `plain` or `quiet`.
    """

    stage: str = ""
    against: str = ""
    progress: str = "auto"


def reproduce_image(project: Project, options: ReproduceOptions) -> Rebuilt:
    """Build twice, or once beside another's image, and compare; no image is kept and none is changed.

    Raises:
        EngineError: The builder makes no reproducible builds, or there is no such image.
        BuildError: A build failed.
    """
    from dockyard.report import progress as display  # noqa: PLC0415 - rich is for those who look

    other = _opened(project, options.against) if options.against else None
    with _workshop(project, options.stage, partial(display.shown, project.console, options.progress)) as shop:
        for note in shop.plan.notes:
            project.console.note(note, style="yellow")
        if other:
            return reproduce.build_beside(shop, other)
        project.console.note("Building twice: no step is taken from the cache, and cache mounts stay as they are.")
        return reproduce.build_twice(shop)


def require_same(rebuilt: Rebuilt, options: ReproduceOptions) -> None:
    """Raise AuditError if the images differ; from another's, they do not by how they are packed alone."""
    found = rebuilt.comparison
    if found.alike if options.against else not found.differences:
        return
    first = found.differences[0]
    raise AuditError(
        f"The build does not reproduce {options.against}." if options.against else "Two builds give two images.",
        harmless(f"The first difference: {first.subject or 'the layer'}, {first.seen.told}."),
        first.remedy,
    )


@contextmanager
def _workshop(
    project: Project, stage: str, shown: Callable[[Sequence[str]], AbstractContextManager[Watch]]
) -> Iterator[Workshop]:
    """Yield where the builds are made; the files of their secrets last as long as the block."""
    with planned(project, BuildOptions(prod=False, stage=stage, reproducible=True)) as asked:
        require_archives(asked, project.engine)
        yield Workshop(
            plan=asked,
            dockerfile=load(asked.dockerfile, args=asked.args),
            ignore=context.effective(asked.context, asked.dockerfile),
            engine=project.engine,
            shown=partial(shown, stages_of(asked)),
        )


def _opened(project: Project, against: str) -> Callable[[], Iterator[bytes] | Path]:
    """Return what opens another's image; refuse one that is not there before anything is built."""
    path = Path(against)
    if path.is_file():
        return lambda: path
    if project.engine.daemon.image(against) is None:
        raise EngineError(
            f"There is no image {against}.",
            "It is neither an image of the engine nor a file.",
            f"Pull it first: `docker pull {against}`.",
        )
    return lambda: project.engine.daemon.save(against)
