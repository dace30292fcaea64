"""The one way in which a container is made; and a start in place, for what needs no gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.errors import EngineError, Interrupted, UnhealthyError
from dockyard.plan import KEY_NAME, PROJECT
from dockyard.run import logs_folder
from dockyard.run.back import put_back
from dockyard.run.own import ours, remove
from dockyard.run.recover import recover, unsettled
from dockyard.run.swap import NEXT, PREVIOUS, Direct, Started, Step, Swap, exchange, perform

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.engines import Engine
    from dockyard.engines.facts import ContainerFacts
    from dockyard.plan import RunPlan
    from dockyard.run.swap import Traffic
    from dockyard.settings.key import Key


def examine(plan: RunPlan, engine: Engine, traffic: Traffic) -> ContainerFacts | None:
    """Refuse what cannot work, and return our container that has the name now.

    Raises:
        EngineError: No image, port taken, or name taken by something that is not ours.
    """
    old = engine.daemon.container(plan.name)
    if old and not ours(old, plan.labels[PROJECT]):
        raise EngineError(
            f"There is a container {plan.name} that is not ours, so nothing was started or changed.",
            f"It runs {old.image} and was not started by dockyard.",
            "Rename or remove it, or choose another name: `name` in [tool.dockyard.run].",
        )
    if engine.daemon.image(plan.image) is None:
        raise EngineError(f"There is no image {plan.image}.", "The engine does not have it.", "Run `invoke build`.")
    traffic.require_free(plan, old, engine)
    return old


def create(plan: RunPlan, key: Key, *, name: str, engine: Engine) -> tuple[str, list[str]]:
    """Make a container, not started yet, under a name of its own; return its id and what a person should know.

    Raises:
        EngineError: The logs folder cannot be written, or the engine refuses.
    """
    notes = [
        f"{folder} was made writable for group {plan.group}; its owner stays."
        for folder in plan.writable_folders()
        if logs_folder.prepare(folder, user=plan.user, image=plan.image, buildx=engine.buildx)
    ]
    engine.daemon.write_volume(
        plan.key_volume,
        image=plan.image,
        name=KEY_NAME,
        content=key.value.get_secret_value().encode() + b"\n",
        group=plan.group,
        labels=plan.labels,
    )
    engine.buildx.require_network(plan.network, {PROJECT: plan.labels[PROJECT]})
    return engine.buildx.create(plan.image, plan.command, **{**plan.options(), "name": name}), notes


def start(
    plan: RunPlan,
    key: Key,
    *,
    engine: Engine,
    announce: Callable[[str], None] = lambda _: None,
    awaited: bool = True,
) -> Started:
    """Start a container and, if it is `awaited`, wait until it is healthy; take the place of the one of its name.

    Everything that can be refused is refused before anything changes. If the new container does not become healthy it
    is removed and the old one is started again.

    Raises:
        EngineError: No image, port taken, name taken by something that is not ours, logs folder unusable.
        UnhealthyError: It did not become healthy.
        Interrupted: Ctrl-C; what was begun is undone.
    """
    if unsettled(plan, engine):
        recover(plan, engine=engine)
    traffic = Direct()
    old = examine(plan, engine, traffic)
    swap = Swap(plan=traffic.published(plan, old), engine=engine, traffic=traffic, announce=announce, outgoing=old)

    def make(_: Swap) -> None:
        name = f"{plan.name}{NEXT}" if old else plan.name
        swap.incoming, swap.notes = create(swap.plan, key, name=name, engine=engine)

    steps = (Step(name="make the new one", act=make), *exchange(swap))
    try:
        perform(steps if awaited else tuple(each for each in steps if not each.waits), swap)
    except KeyboardInterrupt:
        left = put_back(swap)
        raise Interrupted(f"{plan.name} was not started.", "Ctrl-C was pressed.", left.told) from None
    except (EngineError, UnhealthyError) as error:
        error.todo += f" {put_back(swap).told}"
        raise
    if old:
        remove(f"{plan.name}{PREVIOUS}", engine)
    return started(swap)


def started(swap: Swap) -> Started:
    """Return how a swap ended."""
    facts = swap.engine.daemon.container(swap.plan.name)
    return Started(
        name=swap.plan.name,
        url=swap.traffic.url(facts, swap.plan),
        seconds=swap.seconds,
        replaced=swap.outgoing is not None,
        notes=tuple(swap.notes),
    )
