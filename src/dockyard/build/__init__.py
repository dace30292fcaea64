"""BuildPlan -> BuildRecord: sends the plan, follows BuildKit's messages, and keeps what each step did."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockyard import context
from dockyard.build import attested
from dockyard.build.archived import copied, require_archives, require_place, set_times
from dockyard.build.estimate import Estimate, Outlook, Times, estimate, exports
from dockyard.build.layers import kept_layers, told_of
from dockyard.build.marked import marked, unmarked
from dockyard.build.output import secrets_in
from dockyard.build.record import BuildRecord, earlier, keep
from dockyard.build.steps import Progress, Step
from dockyard.engines.buildx import CommandError
from dockyard.errors import BuildError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from dockyard.engines import Engine
    from dockyard.plan import BuildPlan
    from dockyard.state import State

__all__ = [
    "BuildRecord",
    "Estimate",
    "Outlook",
    "Progress",
    "Step",
    "Times",
    "as_written",
    "build",
    "earlier",
    "estimate",
    "exports",
]


def build(
    plan: BuildPlan,
    *,
    engine: Engine,
    state: State,
    watch: Callable[[Progress], None],
    ingredients: Callable[[], Mapping[str, Any]] = dict,
) -> BuildRecord:
    """Build the image and keep the record.

    Args:
        plan: What to build.
        engine: Who builds.
        state: Where the record is kept.
        watch: Told after each message.
        ingredients: Finds out what goes into each step; called beside BuildKit, as no build waits for its record.

    Raises:
        BuildError: A step failed; its last lines are in `why`. Or a secret got into the provenance.
        EngineError: The engine went away, or makes no reproducible builds.
        SettingsError: A reproducible build of several platforms was asked for.
        Interrupted: Ctrl-C; BuildKit was told to stop.
    """
    _require_stage(plan)
    progress = Progress(hidden=(hidden := secrets_in(plan.secrets.values())))
    started, begun = datetime.now(UTC), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dockyard-") as kept, _sent(plan, engine, Path(kept)) as (sent, options):
        metadata = Path(kept, "metadata.json")
        messages = as_written(plan, engine.buildx.build(sent, metadata_file=metadata, **options))
        try:
            went_in = _followed(messages, progress, watch, ingredients)
        except KeyboardInterrupt:
            raise Interrupted(
                "The build was stopped.", "Ctrl-C was pressed.", "Nothing was tagged; finished steps stay in the cache."
            ) from None
        except CommandError as error:
            from dockyard.build.failure import failure  # noqa: PLC0415 - no build waits for what few need

            raise failure(plan, progress, error, engine) from None
        told = json.loads(metadata.read_text("utf-8")) if metadata.is_file() else {}
    made = attested.read_back(plan, engine, told, hidden)
    record = BuildRecord(
        digest=made.digest,
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - begun, 3),
        args=options["build_args"],
        steps=progress.steps,
        builder=(told.get("buildx.build.ref") or "").partition("/")[0],
        index=made.index,
        platforms=made.platforms,
        attestations=made.statements,
        layers=told_of(plan.layers, progress.steps),
        ingredients=went_in,
        **_planned(plan, engine),
    )
    keep(record, state, started)
    return record


def _planned(plan: BuildPlan, engine: Engine) -> dict[str, Any]:
    """Return what a record holds of the plan."""
    base = engine.daemon.image(plan.base)
    return {
        "python": plan.python,
        "tags": plan.tags,
        "base": plan.base,
        "base_digest": base.id if base else "",
        "inputs": _inputs(plan),
        "driver": plan.driver,
        "images": dict(plan.images),
    }


def _followed(
    messages: Generator[dict[str, Any]],
    progress: Progress,
    watch: Callable[[Progress], None],
    ingredients: Callable[[], Mapping[str, Any]],
) -> dict[str, Any]:
    """Take every message of a build, and return what went into it, which is found out meanwhile."""
    with closing(messages), ThreadPoolExecutor(1) as beside:
        gathered = beside.submit(ingredients)
        for message in messages:
            progress.update(message)
            watch(progress)
        return dict(gathered.result())


@contextmanager
def _sent(plan: BuildPlan, engine: Engine, kept: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield what BuildKit is sent and how it is asked; an archive that it kept is then loaded into the engine.

    For a reproducible build that is a copy of the context, in which nothing is younger or older than the commit:
    BuildKit makes younger times those of the commit, and keeps older ones, which no other checkout has.
    """
    if not plan.reproducible:
        require_place(plan, engine)
        with marked(plan) as dockerfile, kept_layers(plan) as layers:
            yield plan.context, {**plan.options(), **layers, "file": dockerfile}
        return
    require_archives(plan, engine)
    archive = kept / "image.tar"
    with copied(plan.context, context.effective(plan.context, plan.dockerfile)) as copy:
        set_times(copy, plan.epoch)
        yield copy, plan.archived(archive)
    engine.buildx.load(archive)


def as_written(plan: BuildPlan, messages: Generator[dict[str, Any]]) -> Generator[dict[str, Any]]:
    """Yield messages with the names that their steps have in the project's own Dockerfile."""
    numbered: Callable[[str], str] = str
    if plan.named_contexts:
        from dockyard.build.numbers import as_numbered  # noqa: PLC0415 - most builds have no named contexts

        numbered = as_numbered(plan)
    with closing(messages):
        for message in messages:
            for vertex in message.get("vertexes") or ():
                if vertex.get("name"):
                    vertex["name"] = numbered(unmarked(vertex["name"]))
            yield message


def _require_stage(plan: BuildPlan) -> None:
    """Refuse a Dockerfile without any FROM: some releases of BuildKit end their whole engine when they are sent one."""
    if plan.dockerfile.is_file() and not re.search(rb"(?im)^\s*FROM\s", plan.dockerfile.read_bytes()):
        raise BuildError(
            f"{plan.dockerfile.name} cannot be built.", "It has no FROM.", "Begin it with the image it stands on."
        )


def _inputs(plan: BuildPlan) -> dict[str, str]:
    """Return the digests of the files that every build depends on."""
    files = (plan.dockerfile, plan.context / ".dockerignore")
    return {file.name: f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files if file.is_file()}
