"""Where trial builds are made: copies of the context, and builds of them that leave no image behind."""

from __future__ import annotations

import base64
import json
import tempfile
import time
from collections import defaultdict
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from dockyard.build import Progress, as_written
from dockyard.build.archived import copied, writes_archives
from dockyard.build.output import secrets_in
from dockyard.engines import process
from dockyard.engines.buildx import CommandError
from dockyard.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from dockyard.build import Step
    from dockyard.context import Ignore
    from dockyard.dockerfile import Dockerfile, Instruction, Stage
    from dockyard.engines import Engine
    from dockyard.plan import BuildPlan

    Watch = Callable[[Progress], None]
    Shown = Callable[[], AbstractContextManager[Watch]]


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """One project's build, for as long as its secret files are there.

    Attributes:
        plan: The build that `invoke build` makes.
        dockerfile: Its Dockerfile, read with the plan's arguments.
        ignore: The .dockerignore that counts for it.
        lock: The hashed requirements of the image, from the project's root; empty if no setting names them.
        shown: Gives what each build tells of every message, for as long as it lasts.
    """

    plan: BuildPlan
    dockerfile: Dockerfile
    ignore: Ignore
    lock: str = ""
    engine: Engine
    shown: Shown = field(default=lambda: nullcontext(lambda _: None), repr=False)
    stopped: Event = field(default_factory=Event, repr=False)

    def release(self) -> None:
        """End the build that runs, and let no other begin."""
        self.stopped.set()
        process.interrupt_children()

    @property
    def target(self) -> Stage:
        """The stage that is built."""
        return self.dockerfile.built(self.plan.target)

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """The instructions of every stage that the build needs, in their order."""
        return tuple(each for stage in self.dockerfile.needed(self.target) for each in stage.instructions)

    def archives(self) -> bool:
        """Whether the builder writes images to files."""
        return writes_archives(self.plan, self.engine)

    @contextmanager
    def copied(self) -> Iterator[Path]:
        """Yield a copy of what the context admits, to be edited."""
        with copied(self.plan.context, self.ignore) as copy:
            yield copy

    def build(self, folder: Path, **changed: Any) -> Built:
        """Build a context as the plan says, with other options; unless they ask for output, into the cache alone.

        Raises:
            BuildError: The trials were stopped, or a step failed. What it printed is not told, since a trial may
                have put there what it looks for.
        """
        # One platform is enough to show what a step does.
        here = {"tags": [], "load": False, "pull": False, "platforms": list(self.plan.platforms[:1]) or None}
        output = {"output": {"type": "cacheonly"}}
        if self.stopped.is_set():
            raise BuildError("The trial builds were stopped.", "The audit was.", "Run `invoke audit` again.")
        with self.shown() as watch:
            progress = Progress(hidden=secrets_in(self.plan.secrets.values()))
            return _build(self, folder, {**self.plan.options(), **here, **output, **changed}, progress, watch)


@dataclass(kw_only=True)
class Built:
    """What a trial build did.

    Attributes:
        metadata: What buildx wrote of it.
        logs: All that each step printed.
    """

    seconds: float = 0.0
    steps: tuple[Step, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    logs: dict[str, bytearray] = field(default_factory=lambda: defaultdict(bytearray), repr=False)

    @property
    def digest(self) -> str:
        """Of what was exported; empty if nothing was."""
        return str(self.metadata.get("containerimage.digest") or "")

    def told(self, *, cached: bool) -> tuple[str, ...]:
        """Return the instructions that were taken from the cache, or those that were run."""
        return tuple(step.instruction for step in self.steps if step.counts and step.cached == cached)


def _build(shop: Workshop, folder: Path, options: dict[str, Any], progress: Progress, watch: Watch) -> Built:
    """Build, and keep everything that was said."""
    built, begun = Built(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dockyard-") as kept:
        metadata = Path(kept, "metadata.json")
        try:
            sent = shop.engine.buildx.build(folder, metadata_file=metadata, **options)
            with closing(as_written(shop.plan, sent)) as messages:
                for message in messages:
                    progress.update(message)
                    watch(progress)
                    for log in message.get("logs") or ():
                        built.logs[log["vertex"]] += base64.b64decode(log.get("data") or "")
        except CommandError as error:
            step = progress.failed
            raise BuildError(
                f"A trial build failed{f' at {step.name}' if step else ''}.",
                step.error if step else error.why,
                "Run `invoke build --no-cache`: if it works, what the trial changed is at fault.",
            ) from None
        built.metadata = json.loads(metadata.read_text("utf-8")) if metadata.is_file() else {}
    built.steps, built.seconds = progress.steps, time.monotonic() - begun
    return built
