"""What a release goes through: named, proved beside the one that serves, made, watched, written down."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dockyard import plan as plans
from dockyard.errors import EngineError
from dockyard.plan import OCI, PROJECT, RELEASE
from dockyard.run import remains
from dockyard.run.journal import Journal, known
from dockyard.run.own import own_container, remove
from dockyard.run.prober import CALM, Outage, Prober
from dockyard.run.releases import Release, Releases
from dockyard.run.start import create, examine
from dockyard.run.swap import CANDIDATE, NEXT, PREVIOUS, Step, Swap, Traffic
from dockyard.run.wait import until_healthy
from dockyard.run.watch import watch
from dockyard.state import myself

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from dockyard.engines import Engine
    from dockyard.engines.facts import ContainerFacts
    from dockyard.plan import RunPlan
    from dockyard.settings.key import Key
    from dockyard.state import State


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to serve, and what it has to prove.

    Attributes:
        prove: Asks a container what its users will ask; returns the results, or raises UnhealthyError.
        route: The route that answers 200 while the service serves.
        watch: Seconds in which it is watched once it has taken over; 0 is none.
        keep: How many releases are kept.
        origin: The release that is brought back; 0 if it is a new one.
        asked: What `prove` asks beside its own questions; kept with the release, to be asked again when it comes back.
    """

    plan: RunPlan
    key: Key
    prove: Callable[[ContainerFacts], tuple[Mapping[str, Any], ...]]
    route: str
    watch: float
    keep: int
    origin: int = 0
    asked: tuple[Mapping[str, Any], ...] = ()


@dataclass(kw_only=True)
class Rollout(Swap):
    """A swap with a gate before it and a watch behind it.

    Attributes:
        release: What will be written down, as far as it is known.
        logs: The candidate's own logs folder.
        taken: Whether the new container has begun to take over.
        outage: What clients noticed of the swap; None until that is over, or if nobody was asked.
    """

    order: Order
    state: State
    release: Release
    logs: Path
    prober: Prober
    taken: bool = False
    outage: Outage | None = None


def planned(order: Order, engine: Engine, state: State, traffic: Traffic) -> Rollout:
    """Refuse what cannot work; give the release its number, and the image its name."""
    old = examine(order.plan, engine, traffic)
    release, who = _draft(order, engine, state), myself()
    release = dataclasses.replace(release, time=who["since"], who=who["who"], command=who["command"])
    labels = {**order.plan.labels, RELEASE: str(release.number)}
    plan = traffic.published(dataclasses.replace(order.plan, image=release.tag, labels=labels), old)
    serves = traffic.steady(plan, old) if old and old.status == "running" else ""
    journal = Journal(state, plan.name)

    def note(swap: Rollout, step: str) -> None:
        journal.write(swap, step, **known(swap.release, order.keep, who))

    return Rollout(
        plan=plan,
        engine=engine,
        traffic=traffic,
        note=note,
        outgoing=old,
        order=order,
        state=state,
        release=release,
        logs=remains.candidate_logs(state),
        prober=Prober(serves, order.route),
    )


def _draft(order: Order, engine: Engine, state: State) -> Release:
    """Return what is known of the release before anything is done."""
    project = order.plan.labels[PROJECT]
    number = Releases(state, order.plan.name).next_number(project, engine)
    image = engine.daemon.image(order.plan.image)
    labels = image.labels if image else {}
    return Release(
        number=number,
        name=order.plan.name,
        image=order.plan.image,
        digest=image.id if image else "",
        tag=f"{project}:release-{number}",
        revision=labels.get(f"{OCI}.revision", ""),
        version=labels.get(f"{OCI}.version", ""),
        plan=plans.to_record(order.plan),
        fingerprint=plans.fingerprint(order.plan),
        origin=order.origin,
        asked=order.asked,
    )


def _name_image(rollout: Rollout) -> None:
    """Give the image the name that keeps it, whatever a later build calls prod."""
    rollout.engine.buildx.tag(rollout.release.digest, rollout.release.tag)


def _start_candidate(rollout: Rollout) -> None:
    candidate = plans.candidate_plan(rollout.plan, logs=rollout.logs)
    made, _ = create(candidate, rollout.order.key, name=candidate.name, engine=rollout.engine)
    _require_image(rollout, made)
    rollout.engine.buildx.start(made)


def _prove(rollout: Rollout) -> None:
    name, engine = f"{rollout.plan.name}{CANDIDATE}", rollout.engine
    plan = rollout.plan
    seconds = until_healthy(
        name, daemon=engine.daemon, seconds=plan.wait, announce=rollout.announce, routes=plan.routes
    )
    checks = rollout.order.prove(own_container(name, rollout.plan.labels[PROJECT], engine))
    rollout.release = dataclasses.replace(rollout.release, checks=checks)
    rollout.announce(f"the candidate is healthy after {seconds:.1f} s and passes {len(checks)} probes")


def _remove_candidate(rollout: Rollout) -> None:
    remove(f"{rollout.plan.name}{CANDIDATE}", rollout.engine)
    remains.forget_candidates(rollout.state)


def _make(rollout: Rollout) -> None:
    """Make the container that will serve, to the last setting, while the old one still does."""
    name = f"{rollout.plan.name}{NEXT}"
    rollout.incoming, rollout.notes = create(rollout.plan, rollout.order.key, name=name, engine=rollout.engine)
    _require_image(rollout, rollout.incoming)


def _require_image(rollout: Rollout, made: str) -> None:
    """Refuse a container of another image than the one that was meant: somebody moved the name meanwhile."""
    facts = rollout.engine.daemon.container(made)
    if facts is None or facts.image_id != rollout.release.digest:
        raise EngineError(
            f"{rollout.release.tag} is not {rollout.release.digest} any more.",
            "It was given to another image meanwhile.",
            "Run it again.",
        )


def _watch(rollout: Rollout) -> None:
    """Watch it while there is something to go back to."""
    order, daemon = rollout.order, rollout.engine.daemon
    if not order.watch or rollout.outgoing is None:
        return
    facts = own_container(rollout.plan.name, rollout.plan.labels[PROJECT], rollout.engine)
    rollout.announce(f"watching it for {order.watch:g} s")
    rollout.prober.begin(CALM)
    order.prove(facts)
    url = rollout.traffic.url(facts, rollout.plan)
    watch(facts.name, daemon=daemon, url=url, route=order.route, seconds=order.watch)
    order.prove(facts)
    rollout.prober.end()


def _write_down(rollout: Rollout) -> None:
    Releases(rollout.state, rollout.plan.name).conclude(rollout.release)


def _remove_old(rollout: Rollout) -> None:
    if rollout.outgoing:
        remove(f"{rollout.plan.name}{PREVIOUS}", rollout.engine)
    rollout.traffic.settle(rollout)
    Releases(rollout.state, rollout.plan.name).prune(rollout.order.keep, rollout.engine)


PREPARE: tuple[Step, ...] = (
    Step(name="name the image", act=_name_image),
    Step(name="start the candidate", act=_start_candidate),
    Step(name="prove the candidate", act=_prove, waits=True),
    Step(name="remove the candidate", act=_remove_candidate),
    Step(name="make the new one", act=_make),
)
SETTLE: tuple[Step, ...] = (
    Step(name="watch the new one", act=_watch, waits=True),
    Step(name="write the release down", act=_write_down),
    Step(name="remove the old one", act=_remove_old),
)
