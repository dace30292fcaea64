"""What every probe works with: containers to be tried, and a patience that ends with Ctrl-C."""

from __future__ import annotations

import dataclasses
import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import SecretStr

from dockyard import run, smoke
from dockyard.audit.observed import Ran
from dockyard.engines.containers import Container, make_volume
from dockyard.errors import EngineError, Interrupted
from dockyard.plan import PROJECT, ROLE, SECRETS, RunPlan
from dockyard.run.throwaway import as_in_production, throwaway
from dockyard.run.wait import until_healthy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dockyard.engines import Engine
    from dockyard.settings import Settings

    Change = Callable[[RunPlan], RunPlan]

Found = TypeVar("Found")
PAUSE = 0.1
END_SECONDS = 20
SHOWN_OUTPUT = 600


@dataclass(frozen=True, kw_only=True)
class Varied(RunPlan):
    """A container whose options are not those of production.

    Attributes:
        overrides: Options of the engine's `run` that take the place of the plan's own; None takes one away.
    """

    overrides: Mapping[str, Any] = field(default_factory=dict)

    def options(self) -> dict[str, Any]:
        """Return the options of the engine's `run`."""
        options = {**super().options(), **self.overrides}
        return {name: value for name, value in options.items() if value is not None}


def varied(planned: RunPlan, **overrides: Any) -> Varied:
    """Return a plan with other options, on top of those that it has already."""
    fields = {each.name: getattr(planned, each.name) for each in dataclasses.fields(RunPlan)}
    known = planned.overrides if isinstance(planned, Varied) else {}
    return Varied(**fields, overrides={**known, **overrides})


def mounted(planned: RunPlan, *mounts: tuple[str, ...], **overrides: Any) -> Varied:
    """Return a plan in which other mounts take the place of the logs folder; the key stays."""
    bare = dataclasses.replace(planned, binds={})
    return varied(bare, volumes=[(planned.key_volume, SECRETS, "ro"), *mounts], **overrides)


def told(variables: Mapping[str, str]) -> Change:
    """Return the change that gives a container some variables."""
    return lambda planned: dataclasses.replace(planned, env={**planned.env, **variables})


@dataclass(frozen=True, kw_only=True)
class Session:
    """One image under trial.

    Attributes:
        image: Reference or id.
        released: Set once nobody waits for the outcome any more.
    """

    settings: Settings
    engine: Engine
    image: str
    released: Event = field(default_factory=Event)

    def release(self) -> None:
        """End all waits of this session; what was started is removed by those who started it."""
        self.released.set()

    def pause(self, seconds: float) -> None:
        """Wait; raise Interrupted if the session was released."""
        if self.released.wait(seconds):
            raise Interrupted("The audit was stopped.", "Ctrl-C was pressed.", "What it had started is removed.")

    def until(self, ask: Callable[[], Found | None], seconds: float, *, pause: float = PAUSE) -> Found | None:
        """Ask until there is an answer, and return it; None if none came in time."""
        deadline = time.monotonic() + seconds
        while (found := ask()) is None and time.monotonic() < deadline:
            self.pause(pause)
        return found

    @contextmanager
    def begin(self, change: Change = as_in_production, *, value: str | None = None) -> Iterator[smoke.Target]:
        """Start a container as in production but for a change, and do not wait for it.

        Args:
            change: What is different.
            value: What its key file holds; a key of its own if None.
        """
        self.pause(0)
        secret = None if value is None else SecretStr(value)
        with throwaway(self.settings, self.image, engine=self.engine, change=change, value=secret) as facts:
            yield smoke.Target(
                facts=facts,
                url=run.url_of(facts, self.settings.run.container_port),
                key=run.key_of(facts, self.engine) if value is None else (value.split() or [""])[0],
                settings=self.settings,
                engine=self.engine,
            )

    @contextmanager
    def start(self, change: Change = as_in_production, *, value: str | None = None) -> Iterator[smoke.Target]:
        """Start a container and wait until it is healthy.

        Raises:
            UnhealthyError: It did not become healthy.
        """
        with self.begin(change, value=value) as target:
            until_healthy(
                target.facts.name, daemon=self.engine.daemon, seconds=self.settings.run.wait, pause=self.pause
            )
            yield target

    @contextmanager
    def volume(self, content: bytes | None = None) -> Iterator[str]:
        """Make a volume, and remove it on every path.

        Args:
            content: Of a file in it; with one it belongs to root, while an empty one takes the owner of the folder of
                the image over which it is mounted first.
        """
        name = f"{self.settings.run.name}-try-{secrets.token_hex(4)}-logs"
        labels = {PROJECT: self.settings.image, ROLE: "throwaway"}
        try:
            if content is None:
                make_volume(self.engine.daemon, name, labels)
            else:
                self.engine.daemon.write_volume(
                    name, image=self.image, name="kept", content=content, group=0, labels=labels
                )
            yield name
        finally:
            if name in self.engine.daemon.volumes(f"{PROJECT}={self.settings.image}"):
                self.engine.buildx.remove_volume(name)

    @contextmanager
    def idle(self, change: Change = as_in_production) -> Iterator[smoke.Target]:
        """Start a container that only sleeps in place of serving: for its mounts, its user, its health check."""

        def asleep(planned: RunPlan) -> RunPlan:
            changed = dataclasses.replace(change(planned), command=("-c", "import time; time.sleep(600)"))
            return varied(changed, entrypoint="python3")

        with self.begin(asleep) as target:
            yield target

    def ended(self, change: Change, *, value: str, command: str) -> Ran:
        """Start a container that should end by itself, and return its end; code 0 if it serves or goes on.

        Args:
            change: What is different.
            value: What its key file holds.
            command: What people are told of it.
        """
        begun = time.monotonic()
        with self.begin(change, value=value) as target:

            def settled() -> int | None:
                facts = self.engine.daemon.container(target.facts.id)
                if facts is None or facts.status in ("exited", "dead"):
                    return facts.exit_code if facts else -1
                return 0 if target.ask("GET", self.settings.smoke.health).status else None

            code = self.until(settled, END_SECONDS) or 0
            output = text_of(self.look(target).output())
        if value.strip():
            output = output.replace(value.strip(), "<key>")
        return Ran(command=command, code=code, output=output[-SHOWN_OUTPUT:], seconds=time.monotonic() - begun)

    def look(self, target: smoke.Target) -> Container:
        """Return the container of a target, to be looked into."""
        return Container(daemon=self.engine.daemon, id=target.facts.id)

    def python(self, target: smoke.Target, script: str, *arguments: str, seconds: float = 30) -> str:
        """Run a script in a container with the image's own Python, as the container's user, and return its output.

        Raises:
            EngineError: The image has no Python to look with, or the script failed.
        """
        done = self.look(target).execute(["python3", "-c", script, *arguments], seconds=seconds)
        if not done.ok:
            raise EngineError(
                "A script could not be run in the container.",
                done.last_line,
                "The probes look into a container with the `python3` that is on its PATH.",
            )
        return done.output

    def golden(self) -> smoke.Golden:
        """Return the first golden prediction; raise EngineError where there is none to ask for."""
        cases = smoke.read_golden(self.settings)
        if not cases:
            raise EngineError(
                "There is no prediction to ask for.", "`golden` is not set in [tool.dockyard.smoke].", "Set it."
            )
        return cases[0]


def text_of(output: bytes) -> str:
    r"""Return what a container wrote; bytes that are no UTF-8 as `\xff`."""
    return output.decode("utf-8", "backslashreplace")
