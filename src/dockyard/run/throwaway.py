"""The production container once more, to be tried and thrown away."""

from __future__ import annotations

import secrets
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from dockyard import plan, run
from dockyard.settings import key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import SecretStr

    from dockyard.engines import Engine
    from dockyard.engines.facts import ContainerFacts
    from dockyard.plan import RunPlan
    from dockyard.settings import Settings


def as_in_production(planned: RunPlan) -> RunPlan:
    """Change nothing."""
    return planned


@contextmanager
def throwaway(
    settings: Settings,
    image: str,
    *,
    engine: Engine,
    change: Callable[[RunPlan], RunPlan] = as_in_production,
    value: SecretStr | None = None,
) -> Iterator[ContainerFacts]:
    """Start an image as in production, and remove all of it on every path; nobody waits for it to become healthy.

    Args:
        settings: Of the project.
        image: Reference or id.
        engine: Where it runs.
        change: In what it differs from production, beside its own name, free port, key and logs folder.
        value: What its key file holds; a new key if None.
    """
    token = secrets.token_hex(4)
    logs = settings.state / "tries" / token
    planned = change(plan.throwaway_plan(settings, image=image, logs=logs, token=token))
    given = key.Key(value=key.make() if value is None else value, origin="made for this try")
    try:
        run.start(planned, given, engine=engine, awaited=False)
        yield run.own_container(planned.name, settings.image, engine)
    finally:
        run.remove(planned.name, engine)
        shutil.rmtree(logs, ignore_errors=True)
        with suppress(OSError):
            logs.parent.rmdir()
