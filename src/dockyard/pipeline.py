"""The chain itself: settings -> plan -> build -> run -> smoke. Each function wires one command together."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockyard import build, machine, plan, revision, run, smoke
from dockyard.engines import Engine
from dockyard.engines.buildx import Buildx
from dockyard.engines.daemon import Daemon
from dockyard.errors import EngineError, SettingsError
from dockyard.report.console import Console
from dockyard.settings import Loaded, Settings, key, load
from dockyard.settings.sources import process_environment
from dockyard.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dockyard.engines.daemon import ContainerFacts

PRIVATE = 0o600


@dataclass(frozen=True)
class Project:
    """One project on one engine: what every command needs."""

    loaded: Loaded
    engine: Engine
    console: Console

    @property
    def settings(self) -> Settings:
        """The project's settings."""
        return self.loaded.settings

    @cached_property
    def state(self) -> State:
        """The project's records."""
        return State(self.settings.state, warn=lambda text: self.console.note(text, style="yellow"))

    @property
    def label(self) -> str:
        """The label on everything this project makes, as `key=value`."""
        return f"{plan.PROJECT}={self.settings.image}"

    @property
    def wanted(self) -> machine.Wanted:
        """What the machine must have for the Pythons that are asked for."""
        return wanted(self.settings, (self.settings.python,))


def open_project(arguments: Mapping[str, Any] | None = None, *, quiet: bool = False) -> Project:
    """Read the settings and open the engine's doors; nothing is asked of it yet."""
    return Project(load(arguments), Engine(Buildx(), Daemon()), Console(quiet=quiet))


def wanted(settings: Settings, pythons: tuple[str, ...]) -> machine.Wanted:
    """Return what the machine must have to build for some Pythons."""
    network = settings.network
    return machine.Wanted(
        pythons=pythons,
        base=settings.build.base,
        mirror=network.mirror or None,
        archives=network.archives,
        state=settings.state,
        ca_bundle=network.ca_bundle,
        index_url=network.index_url.get_secret_value() if network.index_url else None,
    )


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """How one build is asked for."""

    prod: bool = True
    cache: bool = True
    pull: bool = False
    progress: str = "auto"


def build_image(project: Project, options: BuildOptions) -> build.BuildRecord:
    """Build the image of the settings' Python and keep the record."""
    from dockyard.report import progress  # noqa: PLC0415 - rich is for those who look

    settings = project.settings
    if project.engine.buildx.version() is None:
        raise EngineError("docker has no buildx here.", "`docker buildx version` fails.", "Run `invoke setup`.")
    with build_secrets(project) as mounts:
        planned = plan.build_plan(
            settings,
            base=machine.base_for(settings.python, project.wanted, project.engine),
            revision=revision.read(settings.root),
            secrets=mounts,
            prod=options.prod,
            cache=options.cache,
            pull=options.pull,
        )
        if planned.note:
            project.console.note(planned.note, style="yellow")
        with progress.shown(project.console, options.progress) as watch:
            record = build.build(planned, engine=project.engine, state=project.state, watch=watch)
    project.console.note(progress.summary(record), style="green")
    return record


@contextmanager
def build_secrets(project: Project) -> Iterator[dict[str, Path]]:
    """Yield the files that the build gets as secret mounts, by their id; those we wrote are removed afterwards."""
    network = machine.network(project.wanted)
    folder = Path(tempfile.mkdtemp(prefix="dockyard-"))
    mounts = {}
    try:
        if network.ca_bundle:
            mounts["ca"] = network.ca_bundle
        if network.index_url:
            mounts["index_url"] = folder / "index_url"
            mounts["index_url"].touch(PRIVATE)
            mounts["index_url"].write_text(network.index_url, "utf-8")
        yield mounts
    finally:
        shutil.rmtree(folder)


def start_production(
    project: Project, *, env_file: Path | None = None, ask: Callable[[], str] | None = None
) -> run.Started:
    """Start the hardened container, or put it in the place of the one that runs."""
    settings = project.settings
    found = key.find(
        env_file=env_file,
        environment=process_environment(),
        stored=project.state.read_text(key.STORED),
        ask=ask,
        length=settings.run.key_length,
    )
    project.console.note(f"API key: from {found.origin}.")
    return _start(project, plan.production_plan(settings, token=secrets.token_hex(4)), found)


def start_development(project: Project) -> run.Started:
    """Start the container that serves the working tree."""
    given = key.Key(value=project.settings.dev.key, origin="`key` in [tool.dockyard.dev]")
    return _start(project, plan.development_plan(project.settings, token=secrets.token_hex(4)), given)


def _start(project: Project, planned: plan.RunPlan, given: key.Key) -> run.Started:
    console = project.console
    with project.state.lock("run"):
        started = run.start(planned, given, engine=project.engine, announce=lambda phase: console.note(f"… {phase}"))
    for note in started.notes:
        console.note(note)
    return started


def keep_key(project: Project) -> None:
    """Make and keep an API key, unless one is given or kept already."""
    given = {key.VARIABLE, f"{key.VARIABLE}_FILE"} & set(process_environment())
    if given or project.state.read_text(key.STORED) is not None:
        return
    path = project.state.write(key.STORED, f"{key.make().get_secret_value()}\n".encode(), mode=PRIVATE)
    project.console.note(f"API key: a new one was made and is kept in {path} (mode 0600).", style="yellow")


def target_of(project: Project, facts: ContainerFacts) -> smoke.Target:
    """Return a running container with its address and its key, ready to be asked."""
    return smoke.Target(
        facts=facts,
        url=run.url_of(facts, project.settings.run.container_port),
        key=run.key_of(facts, project.engine),
        settings=project.settings,
        engine=project.engine,
    )


def first_prediction(project: Project) -> tuple[Any, smoke.Answer]:
    """Ask the running container for the first golden prediction; return the request and its answer."""
    golden = smoke.read_golden(project.settings)
    if not golden:
        raise SettingsError("There is no request to try.", "`golden` is not set in [tool.dockyard.smoke].", "Set it.")
    facts = run.own_container(project.settings.run.name, project.settings.image, project.engine)
    target = target_of(project, facts)
    answer = target.predict(golden[0].request, key=target.key)
    smoke.require((smoke.compare(golden[0], answer, project.settings.smoke.tolerance),))
    return golden[0].request, answer


def smoke_running(project: Project, announce: Callable[[smoke.Result], None]) -> tuple[smoke.Result, ...]:
    """Probe the running container, then show on a twin of it that SIGTERM ends it gracefully."""
    facts = run.own_container(project.settings.run.name, project.settings.image, project.engine)
    results = smoke.probe(target_of(project, facts), announce)
    with throwaway(project, facts.image_id) as target:
        stopped = smoke.stop_gracefully(target)
    announce(stopped)
    return (*results, stopped)


def smoke_image(project: Project, image: str, announce: Callable[[smoke.Result], None]) -> tuple[smoke.Result, ...]:
    """Start an image under the production profile, probe it, stop it, and remove it on every path."""
    with throwaway(project, image) as target:
        results = smoke.probe(target, announce)
        stopped = smoke.stop_gracefully(target)
    announce(stopped)
    return (*results, stopped)


@contextmanager
def throwaway(project: Project, image: str) -> Iterator[smoke.Target]:
    """Run an image as in production, under its own name, on a free port, with its own key and logs folder."""
    token = secrets.token_hex(4)
    logs = project.state.folder / "tries" / token
    planned = plan.throwaway_plan(project.settings, image=image, logs=logs, token=token)
    given = key.Key(value=key.make(), origin="made for this try")
    try:
        run.start(planned, given, engine=project.engine)
        facts = run.own_container(planned.name, project.settings.image, project.engine)
        yield target_of(project, facts)
    finally:
        run.remove(planned.name, project.engine)
        shutil.rmtree(logs, ignore_errors=True)
        with suppress(OSError):
            logs.parent.rmdir()


def own(project: Project, *, dev: bool = False) -> ContainerFacts:
    """Return our production container, or the development one."""
    name = project.settings.dev.name if dev else project.settings.run.name
    return run.own_container(name, project.settings.image, project.engine)


def status(project: Project, *, dev: bool = False) -> dict[str, str]:
    """Return what an operator asks first, by its name."""
    facts = own(project, dev=dev)
    image = project.engine.daemon.image(facts.image_id)
    labels = image.labels if image else {}
    told = {
        "container": facts.name,
        "state": facts.status,
        "health": (facts.health or "no health check") if facts.status == "running" else "",
        "url": run.url_of(facts, project.settings.run.container_port) if facts.status == "running" else "",
        "image": facts.image,
        "digest": facts.image_id,
        "version": labels.get(f"{plan.OCI}.version", ""),
        "revision": labels.get(f"{plan.OCI}.revision", ""),
        "base": labels.get(f"{plan.OCI}.base.name", ""),
        "started": facts.started,
        "restarts": str(facts.restarts),
        "last health check": facts.health_output,
    }
    if facts.status == "running":
        told |= run.usage(project.engine.daemon.stats(facts.id))
    return told


def clean(project: Project, *, images: bool) -> Iterator[str]:
    """Remove what carries this project's label, and yield what was removed."""
    engine = project.engine
    for facts in engine.daemon.containers(label=project.label):
        if run.ours(facts, project.settings.image):
            run.remove(facts.name, engine)
            yield f"container {facts.name}"
    for volume in engine.daemon.volumes(project.label):
        engine.buildx.remove_volume(volume)
        yield f"volume {volume}"
    for reference in engine.daemon.images(project.label) if images else ():
        engine.buildx.remove_image(reference)
        yield f"image {reference}"


def build_arguments(given: list[str]) -> dict[str, str]:
    """Return NAME=value pairs as dotted keys; NAME alone takes its value from the environment, as docker does.

    Raises:
        SettingsError: A pair has no name, or NAME alone is not in the environment.
    """
    arguments = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not name or not (equals or name in process_environment()):
            raise SettingsError(
                f"--build-arg {pair} says nothing.",
                "It needs a name and a value.",
                "Write it as --build-arg NAME=value.",
            )
        arguments[f"build.args.{name}"] = value if equals else process_environment()[name]
    return arguments


def asker() -> Callable[[], str] | None:
    """Return what asks a person for the key; None where nobody sits at a terminal."""
    import getpass  # noqa: PLC0415
    import sys  # noqa: PLC0415

    return (lambda: getpass.getpass("API key: ")) if sys.stdin.isatty() else None
