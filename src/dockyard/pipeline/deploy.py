"""Settings -> written files -> a cluster or a host that runs the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.deploy import TARGETS, compose_up, files, kubernetes, reference, rollout, swarm, workload_of
from dockyard.deploy.kubectl import Kubectl, current_context
from dockyard.deploy.kubernetes import overlays
from dockyard.deploy.swarm import up
from dockyard.engines.swarm import Swarm
from dockyard.errors import SettingsError
from dockyard.pipeline import keys
from dockyard.pipeline.push import require_signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dockyard.deploy import Workload
    from dockyard.deploy.files import Comparison
    from dockyard.deploy.rollout import Deployed
    from dockyard.pipeline.project import Project
    from dockyard.settings.key import Key


@dataclass(frozen=True, kw_only=True)
class DeployOptions:
    """How a deployment is asked for.

    Attributes:
        to: Name of the target.
        image: The image; empty is that of the settings, and of a look at files the one that they name.
        overlay: The environment to apply; empty is the base.
        allow_tag: Be content with a tag.
        force: Overwrite what a person edited.
        init: Make a swarm if the engine is in none.
        rotate_key: Give the swarm a new version of the key.
        env_file: A file with the key, if one has to be made a secret of.
        ask: Prompts for the key then; None where nobody can answer.
    """

    to: str
    image: str = ""
    overlay: str = ""
    allow_tag: bool = False
    force: bool = False
    init: bool = False
    rotate_key: bool = False
    env_file: Path | None = None
    ask: Callable[[], str] | None = None


def require_overlay(project: Project, options: DeployOptions) -> None:
    """Raise SettingsError unless the environment that is asked for is one; before anything is written."""
    environments = project.settings.deploy.environments
    if not options.overlay:
        return
    if options.to != "kubernetes":
        raise SettingsError(
            f"There are no overlays for {options.to}.", "They are Kubernetes'.", "Leave `--overlay` out."
        )
    if options.overlay not in environments:
        raise SettingsError(
            f"There is no overlay {options.overlay}.",
            f"There are {', '.join(environments)}.",
            "Take one of them, or add it to `overlays` in [tool.dockyard.deploy].",
        )


def write_files(project: Project, options: DeployOptions) -> tuple[Comparison, ...]:
    """Write the files of a target, and return how they were before.

    Raises:
        DeployError: A person has edited one.
        EngineError: There is no engine to ask for the digest, or the folder cannot be written.
        SettingsError: There is no digest.
    """
    with project.state.lock("deploy"):
        workload = _workload(project, options)
        require_signed(project, workload.image)
        compared = _compared(project, options, workload)
        files.write(_folder(project), compared, force=options.force)
    for remark in _remarks(options, workload):
        project.console.note(remark, style="yellow")
    return compared


def check_files(project: Project, options: DeployOptions) -> tuple[Comparison, ...]:
    """Return how the written files differ from what the settings say, for the image that they name."""
    target = TARGETS[options.to]
    named = options.image or files.image_of(_folder(project), target)
    if not named:
        return _compared(project, options, _workload(project, options))
    return _compared(project, options, workload_of(project.settings, str(reference.read(named))))


def bring_up(project: Project, options: DeployOptions) -> Deployed:
    """Bring what is written to where it is to run, and wait until it serves.

    Raises:
        DeployError: It was refused, or did not become ready and was taken back.
        EngineError: What it needs is not here, or does not answer.
    """
    named = files.image_of(_folder(project), TARGETS[options.to])
    workload = workload_of(project.settings, named)
    with project.state.lock("deploy"):
        require_signed(project, workload.image)
        return UP[options.to](project, options, workload)


def _on_kubernetes(project: Project, options: DeployOptions, workload: Workload) -> Deployed:
    namespace, folder = workload.namespace, kubernetes.BASE
    if options.overlay:
        environment = workload.wanted.environments[options.overlay]
        namespace = overlays.namespace(workload, options.overlay, environment)
        folder = kubernetes.overlay_folder(options.overlay)
    kubectl = Kubectl(context=workload.wanted.context or current_context(), namespace=namespace)
    project.console.note(f"Context {kubectl.context}, namespace {namespace}.")
    return rollout.apply(workload, _folder(project) / folder, kubectl, announce=_announcer(project))


def _on_this_host(project: Project, options: DeployOptions, workload: Workload) -> Deployed:
    file = _folder(project) / TARGETS[options.to].main
    return compose_up.up(workload, file, state=project.state, announce=_announcer(project))


def _in_swarm(project: Project, options: DeployOptions, workload: Workload) -> Deployed:
    def find_key() -> Key:
        return keys.find(project, env_file=options.env_file, ask=options.ask)

    orders = up.Orders(find_key=find_key, rotate_key=options.rotate_key, init=options.init)
    file = _folder(project) / TARGETS[options.to].main
    manager = Swarm(daemon=project.engine.daemon)
    return up.up(workload, file, swarm=manager, orders=orders, announce=_announcer(project))


UP: dict[str, Callable[[Project, DeployOptions, Workload], Deployed]] = {
    "kubernetes": _on_kubernetes,
    "compose": _on_this_host,
    "swarm": _in_swarm,
}


def _workload(project: Project, options: DeployOptions) -> Workload:
    settings = project.settings
    image = reference.resolve(settings, options.image, daemon=project.engine.daemon, allow_tag=options.allow_tag)
    return workload_of(settings, image)


def _remarks(options: DeployOptions, workload: Workload) -> Iterator[str]:
    """Yield what is allowed and seldom meant."""
    if not reference.read(workload.image).registry:
        yield "The image names no registry: another machine would look on Docker Hub. `deploy.image` says where it is."
    if options.to == "kubernetes" and not workload.wanted.ingress:
        yield "Nobody in the cluster may call the service: `deploy.ingress` says who may."
    if options.to == "swarm":
        yield from swarm.remarks(workload)


def _compared(project: Project, options: DeployOptions, workload: Workload) -> tuple[Comparison, ...]:
    target = TARGETS[options.to]
    return files.compare(_folder(project), target, target.files(workload))


def _folder(project: Project) -> Path:
    return project.settings.root / project.settings.deploy.folder


def _announcer(project: Project) -> Callable[[str], None]:
    return lambda step: project.console.note(f"… {step}")
