"""BuildPlan -> BuildRecord: sends the plan, follows BuildKit's messages, and keeps what each step did."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import tempfile
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockyard.engines.buildx import CommandError, last_useful_line
from dockyard.errors import BuildError, DockyardError, EngineError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.engines import Engine
    from dockyard.plan import BuildPlan
    from dockyard.state import State

KEPT_RECORDS = 50
TAIL = 30
INSTRUCTION = re.compile(r"^\[(?:[a-z0-9]+/\S+ )?(?:(?P<stage>\S+) +)?\d+/\d+\] (?P<instruction>.*)", re.DOTALL)


@dataclass(kw_only=True)
class Step:
    """One vertex of BuildKit's graph.

    Attributes:
        name: As BuildKit prints it, for instance `[builder 3/7] RUN uv …`.
        inputs: Names of the steps it stands on.
        seconds: Time it ran; 0 while it has not ended, and for a cached one.
        log: The last lines it printed.
        transfers: Bytes now and in all, by what is transferred; the total is 0 where BuildKit does not know it.
    """

    name: str
    inputs: tuple[str, ...] = ()
    started: str = ""
    completed: str = ""
    cached: bool = False
    error: str = ""
    log: list[str] = field(default_factory=list)
    transfers: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def instruction(self) -> str:
        """The instruction of the Dockerfile, without its stage; empty for BuildKit's own steps."""
        found = INSTRUCTION.match(self.name)
        return found["instruction"] if found else ""

    @property
    def counts(self) -> bool:
        """Whether it is work that a cache can save: an instruction, and not the mere naming of a base."""
        return bool(self.instruction) and not self.instruction.startswith("FROM ")

    @property
    def running(self) -> bool:
        """Whether it has begun and not ended."""
        return bool(self.started) and not self.completed

    @property
    def seconds(self) -> float:
        """How long it ran."""
        if not (self.started and self.completed) or self.cached:
            return 0.0
        return (_moment(self.completed) - _moment(self.started)).total_seconds()


@dataclass(frozen=True, kw_only=True)
class BuildRecord:
    """What one build did; kept in .dockyard/builds.

    Attributes:
        digest: Of the image's manifest, or of its configuration where the engine's store has no manifests.
        args: Build arguments.
        inputs: Digests of the files that decide a build: the Dockerfile and .dockerignore.
    """

    python: str
    tags: tuple[str, ...]
    base: str
    base_digest: str
    digest: str
    started: str
    seconds: float
    args: dict[str, str]
    inputs: dict[str, str]
    steps: tuple[Step, ...]

    @property
    def cached(self) -> int:
        """How many of the Dockerfile's steps were cached."""
        return sum(step.cached for step in self.steps if step.counts)

    @property
    def counted(self) -> int:
        """How many steps of the Dockerfile there are."""
        return sum(step.counts for step in self.steps)


class Progress:
    """The steps of a running build, kept up to date from BuildKit's messages."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}
        self._unended: dict[str, bytes] = {}

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps known so far, in the order BuildKit named them."""
        return tuple(self._steps.values())

    @property
    def failed(self) -> Step | None:
        """The step that failed, if one did; one that was only cancelled is not it."""
        broken = [step for step in self.steps if step.error and "context canceled" not in step.error]
        return broken[0] if broken else None

    def update(self, message: dict[str, Any]) -> None:
        """Take one message of BuildKit."""
        for vertex in message.get("vertexes") or ():
            step = self._steps.setdefault(vertex["digest"], Step(name=vertex["name"]))
            step.inputs = tuple(self._steps[each].name for each in vertex.get("inputs") or () if each in self._steps)
            # A step can be started more than once, while it looks for its cache; the first start counts.
            step.started = step.started or vertex.get("started") or ""
            step.completed = vertex.get("completed") or ""
            step.cached = step.cached or bool(vertex.get("cached"))
            step.error = vertex.get("error") or step.error
            if step.completed and self._unended.get(vertex["digest"]):
                self._log(vertex["digest"], b"\n")
        for status in message.get("statuses") or ():
            if status["vertex"] in self._steps:
                moved = (status.get("current") or 0, status.get("total") or 0)
                self._steps[status["vertex"]].transfers[status["id"]] = moved
        for log in message.get("logs") or ():
            if log["vertex"] in self._steps:
                self._log(log["vertex"], base64.b64decode(log.get("data") or ""))

    def _log(self, vertex: str, data: bytes) -> None:
        """Keep a step's last lines; a piece of its output may end within a line, or within a letter."""
        *lines, rest = (self._unended.pop(vertex, b"") + data).split(b"\n")
        self._unended[vertex] = rest
        kept = self._steps[vertex].log
        kept.extend(line for each in lines if (line := each.decode("utf-8", "replace").rstrip()))
        del kept[:-TAIL]


def build(plan: BuildPlan, *, engine: Engine, state: State, watch: Callable[[Progress], None]) -> BuildRecord:
    """Build the image and keep the record.

    Args:
        plan: What to build.
        engine: Who builds.
        state: Where the record is kept.
        watch: Told after each message.

    Raises:
        BuildError: A step failed; its last lines are in `why`.
        EngineError: The engine went away.
        Interrupted: Ctrl-C; BuildKit was told to stop.
    """
    progress = Progress()
    started = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="dockyard-") as folder:
        metadata = Path(folder) / "metadata.json"
        messages = engine.buildx.build(plan.context, metadata_file=metadata, **plan.options())
        try:
            with closing(messages):
                for message in messages:
                    progress.update(message)
                    watch(progress)
        except KeyboardInterrupt:
            raise Interrupted(
                "The build was stopped.", "Ctrl-C was pressed.", "Nothing was tagged; finished steps stay in the cache."
            ) from None
        except CommandError as error:
            raise _failure(plan, progress, error, engine) from None
        told = json.loads(metadata.read_text("utf-8")) if metadata.is_file() else {}
    base = engine.daemon.image(plan.base)
    record = BuildRecord(
        python=plan.python,
        tags=plan.tags,
        base=plan.base,
        base_digest=base.id if base else "",
        digest=told.get("containerimage.digest") or told.get("containerimage.config.digest") or "",
        started=started.isoformat(timespec="seconds"),
        seconds=round((datetime.now(UTC) - started).total_seconds(), 3),
        args=dict(plan.args),
        inputs=_inputs(plan),
        steps=progress.steps,
    )
    _keep(record, state, started)
    return record


def _failure(plan: BuildPlan, progress: Progress, error: CommandError, engine: Engine) -> DockyardError:
    """Say why a build failed: the engine, the step, or the Dockerfile."""
    if not engine.daemon.reachable():
        return EngineError(
            "The engine went away during the build.",
            last_useful_line(error.output),
            "Run `invoke setup` to start it, then build again: finished steps are still cached.",
        )
    if engine.buildx.version() is None:
        return EngineError("docker has no buildx here.", last_useful_line(error.output), "Run `invoke setup`.")
    step = progress.failed
    if step is None:
        return BuildError(
            f"{plan.dockerfile.name} cannot be built.", _cause(error.output), "Mend it, then run `invoke build` again."
        )
    lines = "\n".join(f"  | {line}" for line in step.log[-TAIL:])
    return BuildError(
        f"The build failed at {step.name}",
        f"{lines}\n{step.error}".lstrip("\n"),
        f"Mend that line of {plan.dockerfile.name}, then run `invoke build` again: the steps before it are cached.",
    )


def _cause(output: str) -> str:
    """Return buildx's own excerpt of the Dockerfile, if it gave one, and its last line."""
    lines = [line.rstrip() for line in output.splitlines()]
    excerpt = [line for line in lines if re.match(r"^ *\d+ \| ", line) or re.match(r"^\S*Dockerfile\S*:\d+$", line)]
    return "\n".join([*excerpt, last_useful_line(output)])


def _inputs(plan: BuildPlan) -> dict[str, str]:
    """Return the digests of the files that every build depends on."""
    files = (plan.dockerfile, plan.context / ".dockerignore")
    return {file.name: f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files if file.is_file()}


def _keep(record: BuildRecord, state: State, started: datetime) -> None:
    """Write the record and drop the oldest ones."""
    plain = asdict(record)
    for step, kept in zip(record.steps, plain["steps"], strict=True):
        kept["seconds"] = step.seconds
        del kept["transfers"]
    state.write_record(f"builds/{started:%Y%m%dT%H%M%S.%fZ}-py{record.python}.json", plain)
    state.keep("builds", KEPT_RECORDS)


def _moment(text: str) -> datetime:
    """Read BuildKit's time; it writes nanoseconds, of which Python takes six digits."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
