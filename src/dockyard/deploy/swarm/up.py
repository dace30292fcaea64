"""Brings a release to a swarm, and waits until Swarm has put it in place or taken it back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.deploy import reference
from dockyard.deploy.rollout import Deployed
from dockyard.deploy.swarm import key as keys
from dockyard.deploy.swarm.stack import KEY_VERSION, MARK, mark, monitor, service_name
from dockyard.deploy.swarm.stand import Asked
from dockyard.deploy.swarm.watch import watch
from dockyard.deploy.swarm.why import Reasons
from dockyard.errors import DeployError, EngineError, Interrupted
from dockyard.plan import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dockyard.deploy.swarm.key import Version
    from dockyard.deploy.swarm.stand import Stand
    from dockyard.deploy.workload import Workload
    from dockyard.engines.swarm import Swarm
    from dockyard.engines.swarm_facts import ServiceFacts
    from dockyard.settings.key import Key


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What else is asked for.

    Attributes:
        find_key: Returns the key, from where `invoke run --prod` takes it; called only if a secret is to be made.
        rotate_key: Make a secret of it even if there is one.
        init: Make a swarm if the engine is in none.
    """

    find_key: Callable[[], Key]
    rotate_key: bool = False
    init: bool = False


def up(workload: Workload, file: Path, *, swarm: Swarm, orders: Orders, announce: Callable[[str], None]) -> Deployed:
    """Bring a stack file up, and wait until its service is what it says.

    Raises:
        DeployError: It failed, or is not in place in time.
        EngineError: The engine manages no swarm, or Docker refuses the stack.
        Interrupted: Ctrl-C; the update goes on in the swarm.
        SettingsError: There is no key.
    """
    _require_manager(workload, swarm, orders, announce)
    began, name = time.monotonic(), service_name(workload)
    before = swarm.service(name)
    _require_ours(workload, before)
    key = keys.version(workload, swarm, before, rotate=orders.rotate_key, find=orders.find_key)
    announce(f"the key is the secret {key.name}{', made just now' if key.made else ''}")
    changed = not _same(workload, before, key)
    known = frozenset(each.id for each in swarm.tasks(name)) if before else frozenset()
    reasons, steps = Reasons(swarm, workload.name), [""]

    def tell(step: str) -> None:
        steps.append(step)
        announce(step)

    try:
        if changed:
            tell(f"{'updating' if before else 'starting'} {name}")
            _deploy(workload, file, swarm, key, before)
        asked = _asked(workload, swarm, known, just_now=changed)
        end = watch(name, asked, swarm=swarm, reasons=reasons, announce=tell)
    except KeyboardInterrupt:
        raise _interrupted(name, steps[-1]) from None
    if end.verdict in ("complete", "rolled back"):
        keys.remove_unused(workload, swarm, _secrets(swarm.service(name)), announce)
    if end.verdict != "complete":
        raise _failure(workload, end, swarm.service(name), reasons.lines())
    return Deployed(
        name=workload.name,
        image=workload.image,
        where=f"{end.new} healthy tasks in the swarm",
        seconds=time.monotonic() - began,
        changed=changed,
    )


def _require_manager(workload: Workload, swarm: Swarm, orders: Orders, announce: Callable[[str], None]) -> None:
    """Refuse an engine that cannot be told what to run; make a swarm of it only if that is asked for."""
    facts = swarm.state()
    if facts.state == "active" and facts.manager:
        return
    if facts.state == "active":
        raise EngineError(
            "This engine is a worker of its swarm, so nothing was deployed.",
            "Only a manager is told what to run.",
            "Deploy from a manager: name it with `docker context use` or DOCKER_HOST.",
        )
    if facts.state != "inactive":
        raise EngineError(
            "The swarm of this engine cannot be used, so nothing was deployed.",
            f"It is {facts.state}. {facts.error}".strip(),
            "Look at `docker info`; a locked one wants `docker swarm unlock`.",
        )
    if not orders.init:
        raise EngineError(
            "This engine is in no swarm, so nothing was deployed.",
            "Swarm mode is off.",
            "Make one with `docker swarm init`, or say `--init`; join an existing one with `docker swarm join`.",
        )
    swarm.init(workload.wanted.swarm.advertise)
    announce("a swarm was made: this engine is its first manager")


def _require_ours(workload: Workload, before: ServiceFacts | None) -> None:
    project = workload.container.labels[PROJECT]
    if before and before.labels.get(PROJECT) != project:
        raise DeployError(
            f"There is a service {before.name} that is not this project's, so nothing was deployed.",
            f"It runs {before.image} and was not deployed from here.",
            "Take another `name` in [tool.dockyard.deploy], or remove it.",
        )


def _same(workload: Workload, before: ServiceFacts | None, key: Version) -> bool:
    """Whether the swarm was asked for exactly this already; a tag may mean another image by now."""
    if before is None or "@" not in workload.image or "paused" in before.update:
        return False
    asked = (before.labels.get(MARK), before.image, before.replicas, key.name in before.secrets)
    return asked == (mark(workload), workload.image, workload.wanted.replicas, True)


def _deploy(workload: Workload, file: Path, swarm: Swarm, key: Version, before: ServiceFacts | None) -> None:
    named = bool(reference.read(workload.image).registry)
    try:
        swarm.deploy(workload.name, file, variables={KEY_VERSION: str(key.number)}, asks_registry=named)
    except EngineError:
        if key.made:
            keys.remove_unused(workload, swarm, _secrets(before), lambda _: None)
        raise


def _asked(workload: Workload, swarm: Swarm, known: frozenset[str], *, just_now: bool) -> Asked:
    """Return what the swarm understood, which is what new tasks are made of."""
    found = swarm.service(service_name(workload))
    if found is None:
        raise DeployError(f"The stack {workload.name} has no service.", "Somebody removed it.", "Deploy again.")
    return Asked(
        made_of=found.made_of,
        replicas=found.replicas,
        before=known,
        # Swarm watches each task alone, and then the last one once more.
        wait=workload.wanted.wait + monitor(workload) * (found.replicas + 1),
        monitor=monitor(workload) if just_now else 0,
        just_now=just_now,
    )


def _secrets(service: ServiceFacts | None) -> tuple[str, ...]:
    return service.secrets if service else ()


def _interrupted(name: str, stand: str) -> Interrupted:
    return Interrupted(
        f"Nobody waits for {name} any more.",
        f"Ctrl-C was pressed; Swarm goes on by itself, and takes back what fails. It stood so: {stand or 'unchanged'}.",
        f"See how it stands with `docker service ps {name}`; take it back with `docker service rollback {name}`.",
    )


def _failure(workload: Workload, end: Stand, service: ServiceFacts | None, reasons: tuple[str, ...]) -> DeployError:
    """Say how it ended, why, and what runs now."""
    name = service_name(workload)
    why = "\n".join((end.words, *reasons))
    look = f"Look at it: `docker service ps --no-trunc {name}`"
    now = f"What serves now: {service.image}, {end.old} of {end.replicas} tasks." if service else ""
    match end.verdict:
        case "rolled back":
            return DeployError(
                f"{workload.name} failed, and Swarm took it back.",
                why,
                f"{now} Mend what is said above, then deploy again.",
            )
        case "rollback failed":
            return DeployError(f"{workload.name} failed, and what was there before does so too.", why, f"{now} {look}")
        case "failed":
            left = "there is nothing to go back to" if not end.old else "nothing was taken back"
            return DeployError(f"{workload.name} failed; {left}.", why, f"Swarm goes on trying. {look}")
    return DeployError(
        f"{workload.name} is not in place after {workload.wanted.wait} s.",
        why,
        f"Swarm goes on; take it back with `docker service rollback {name}`. {look}",
    )
