"""HLT: the Swarm stack that updates the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.audit.facts.configured import is_ours, table
from dockyard.audit.facts.yaml_files import documents
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Severity, broken, holds, unknown
from dockyard.dockerfile.duration import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.facts.yaml_files import Node
    from dockyard.audit.read import TextFile
    from dockyard.audit.verdict import Proof
    from dockyard.image import Image
    from dockyard.settings import Settings

NANOSECONDS = 10**9
# How long Swarm watches a new task where nothing is said.
MONITOR = 5.0


class StackUpdates(Rule):
    """A Swarm update starts the new task first, watches it past its start period, and rolls back if it fails.

    By default Swarm stops the old task before the new one is healthy, and pauses a failed update half way: a broken
    image then takes the service down, and nobody puts the old one back.

    Remedy: Give the service `deploy.update_config` with `order: start-first`, `failure_action: rollback` and a
    `monitor` of at least the health check's start period.
    """

    id = "HLT-03"
    title = "Swarm update is health-driven and rolls back"
    severity = Severity.MEDIUM
    references = ("CIS 5.27",)

    @part
    def updates(self, stack: TextFile, settings: Settings) -> Iterator[Proof]:
        """The update of each service that runs our image is health-driven."""
        services, problems = _services(stack, settings)
        yield from problems
        for service in services:
            update = service.get("deploy", "update_config")
            for name, wanted in (("failure_action", "rollback"), ("order", "start-first")):
                found = update.get(name)
                proof = holds if found.text == wanted else broken
                yield proof(f"{name} is {found.text or 'not set'}, wanted {wanted}", found.place)
            check = service.get("healthcheck")
            off = check.get("disable").value is True or [each.text for each in check.get("test").each()] == ["NONE"]
            yield (broken if off else holds)(f"the health check is {'switched off' if off else 'on'}", check.place)

    @part
    def monitor(self, stack: TextFile, settings: Settings, image: Image) -> Iterator[Proof]:
        """A new task is watched for as long as it may take to start."""
        for service in _services(stack, settings)[0]:
            given = service.get("deploy", "update_config", "monitor")
            asked = service.get("healthcheck", "start_period")
            of_image = table(image, "Healthcheck").get("StartPeriod")
            period = seconds(asked.text) if asked.there else _number(of_image) / NANOSECONDS
            watched = seconds(given.text) if given.there else MONITOR
            proof = holds if watched >= period else broken
            yield proof(f"monitor is {watched:g} s, the start period is {period:g} s", given.place)


def _services(stack: TextFile, settings: Settings) -> tuple[tuple[Node, ...], tuple[Proof, ...]]:
    """Return the services that run our image; all of them where none names it, since its name may come later."""
    read, problems = documents(stack)
    services = [service for document in read for _, service in document.get("services").fields()]
    ours = [service for service in services if is_ours(service.get("image").text, settings)]
    if not services and not problems:
        return (), (unknown(f"{stack.path} has no services."),)
    return tuple(ours or services), problems


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
