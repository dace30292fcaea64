"""One container takes another's name and port: the same steps forward and back."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from dockyard.engines.daemon import CARRIED
from dockyard.errors import EngineError
from dockyard.plan import PROJECT
from dockyard.run import ports
from dockyard.run.own import ours, remove, url_of
from dockyard.run.shield import shielded
from dockyard.run.wait import until_healthy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dockyard.engines import Engine
    from dockyard.engines.facts import ContainerFacts
    from dockyard.plan import RunPlan
    from dockyard.run.prober import Outage

# What follows the name of the container that serves, in the names of those around it.
CANDIDATE, NEXT, PREVIOUS, FAILED = "-candidate", "-next", "-previous", "-failed"
STOP = "stop the old one"


@dataclass(frozen=True, kw_only=True)
class Started:
    """A healthy container.

    Attributes:
        url: Where it answers on this host.
        seconds: From its start until it was healthy.
        replaced: Whether it took another one's place.
        notes: What was done on the way that a person should know.
        release: Its number among the releases; 0 if it is none.
        outage: What a client noticed of the swap; None if nothing was swapped.
    """

    name: str
    url: str
    seconds: float
    replaced: bool
    notes: tuple[str, ...]
    release: int = 0
    outage: Outage | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """One named step.

    Attributes:
        act: Does it; what has been done already is not done again.
        waits: Whether it only waits, so that Ctrl-C need not.
    """

    name: str
    act: Callable[[Any], None]
    waits: bool = False


class Traffic(Protocol):
    """How requests get from the container that serves to the one that will."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is done once the names are exchanged."""
        ...

    def published(self, plan: RunPlan, outgoing: ContainerFacts | None) -> RunPlan:
        """Return the plan with the address at which the next container is to be published."""
        ...

    def require_free(self, plan: RunPlan, outgoing: ContainerFacts | None, engine: Engine) -> None:
        """Raise EngineError if the plan's port is taken by anything that does not make room."""
        ...

    def steady(self, plan: RunPlan, outgoing: ContainerFacts) -> str:
        """Return where the service answers before and after the swap; empty if it moves."""
        ...

    def url(self, facts: ContainerFacts | None, plan: RunPlan) -> str:
        """Return where users reach a container."""
        ...

    def reaches(self, facts: ContainerFacts) -> bool:
        """Whether requests get to a running container that has the name."""
        ...

    def settle(self, swap: Swap) -> None:
        """Remove what the new container does not need, once it stays."""
        ...


@dataclass(kw_only=True)
class Swap:
    """A container on its way into another's place.

    Attributes:
        incoming: Id of the container that will serve; empty until it is made.
        outgoing: The container that serves, as it was found; None if there is none.
        park: What follows the name of the outgoing one once it has given it up.
        note: Told of each step before it is done.
        seconds: What the incoming one took to become healthy.
    """

    plan: RunPlan
    engine: Engine
    traffic: Traffic
    announce: Callable[[str], None] = lambda _: None
    note: Callable[[Any, str], None] = lambda *_: None
    incoming: str = ""
    outgoing: ContainerFacts | None = None
    park: str = PREVIOUS
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    def turned(self) -> Swap:
        """Return the way back: what came in goes out, and the other way round."""
        came = self.engine.daemon.container(self.incoming) if self.incoming else None
        was = self.outgoing.id if self.outgoing else ""
        return replace(self, incoming=was, outgoing=came, park=FAILED, notes=[])


class Noting(Protocol):
    """What steps are done to."""

    def note(self, at: Any, step: str, /) -> None:
        """Write down a step, before it is done."""
        ...


def perform(steps: Sequence[Step], work: Noting) -> None:
    """Do the steps in their order; each is noted before it is done."""
    for step in steps:
        work.note(work, step.name)
        with nullcontext() if step.waits else shielded():
            step.act(work)


def exchange(swap: Swap) -> tuple[Step, ...]:
    """Return the steps by which the incoming container takes name and traffic of the outgoing one."""
    return (Step(name="set aside", act=_set_aside), Step(name="take the name", act=_take_name), *swap.traffic.steps)


def _set_aside(swap: Swap) -> None:
    """Free the name; the container runs on."""
    facts = swap.engine.daemon.container(swap.outgoing.id) if swap.outgoing else None
    if facts and facts.name == swap.plan.name:
        swap.engine.buildx.rename(facts.id, f"{swap.plan.name}{swap.park}")


def _take_name(swap: Swap) -> None:
    facts = swap.engine.daemon.container(swap.incoming)
    if facts and facts.name != swap.plan.name:
        swap.engine.buildx.rename(facts.id, swap.plan.name)


def stop_outgoing(swap: Swap) -> None:
    """Let the outgoing one finish what it has begun."""
    facts = swap.engine.daemon.container(swap.outgoing.id) if swap.outgoing else None
    if facts and facts.status == "running":
        swap.engine.buildx.stop(facts.id, seconds=swap.plan.stop_timeout)


def start_incoming(swap: Swap) -> None:
    """Start the container that will serve."""
    facts = swap.engine.daemon.container(swap.incoming)
    if facts and facts.status == "running":
        return
    try:
        swap.engine.buildx.start(swap.incoming)
    except EngineError:
        # Somebody may have taken the port since it was found free: that names who.
        free(swap.plan, swap.engine)
        raise


def answers(swap: Swap) -> None:
    """Wait until the incoming container is healthy."""
    plan, daemon = swap.plan, swap.engine.daemon
    swap.seconds = until_healthy(
        plan.name, daemon=daemon, seconds=plan.wait, announce=swap.announce, routes=plan.routes
    )


class Direct:
    """The engine publishes the port of one container at a time: the old one ends, then the new one starts."""

    steps: tuple[Step, ...] = (
        Step(name=STOP, act=stop_outgoing),
        Step(name="start the new one", act=start_incoming),
        Step(name="wait for the new one", act=answers, waits=True),
    )

    def published(self, plan: RunPlan, outgoing: ContainerFacts | None) -> RunPlan:
        """Publish where the old one is: a free port that was taken once stays."""
        published = outgoing.ports.get(f"{plan.container_port}/tcp") if outgoing else None
        return replace(plan, port=published[1]) if published and plan.port == 0 else plan

    def require_free(self, plan: RunPlan, outgoing: ContainerFacts | None, engine: Engine) -> None:
        """The outgoing container makes room."""
        free(plan, engine, outgoing)

    def steady(self, plan: RunPlan, outgoing: ContainerFacts) -> str:
        """Return where the outgoing one is published, if the plan says the same."""
        stays = outgoing.ports.get(f"{plan.container_port}/tcp") == (plan.address, plan.port)
        return url_of(outgoing, plan.container_port) if stays else ""

    def url(self, facts: ContainerFacts | None, plan: RunPlan) -> str:
        """Return where it is published."""
        return url_of(facts, plan.container_port)

    def reaches(self, facts: ContainerFacts) -> bool:  # noqa: ARG002 - of the protocol
        """A container that runs has its port."""
        return True

    def settle(self, swap: Swap) -> None:
        """There is nothing around it."""


def free(plan: RunPlan, engine: Engine, *holders: ContainerFacts | None) -> None:
    """Raise EngineError if the plan's port is taken by anything but these containers."""
    own = [each.id for each in holders if each]
    ports.require_free(plan.address, plan.port, daemon=engine.daemon, own=own)


def discard(name: str, project: str, engine: Engine) -> None:
    """Remove what stands around a container for its replacement, and the key volumes that nothing mounts any more.

    Whoever was killed while a key was written left what carries it into its volume.
    """
    for suffix in (CANDIDATE, NEXT, FAILED):
        facts = engine.daemon.container(f"{name}{suffix}")
        if facts and ours(facts, project):
            remove(facts.name, engine)
    label = f"{PROJECT}={project}"
    for facts in engine.daemon.containers(label=label):
        if facts.mounts.get(CARRIED, "").startswith(f"{name}-key"):
            engine.buildx.remove(facts.id)
    used = {volume for facts in engine.daemon.containers(label=label) for volume in facts.mounts.values()}
    for volume in engine.daemon.volumes(label):
        if volume.startswith(f"{name}-key") and volume not in used:
            engine.buildx.remove_volume(volume)
