"""The gateway's container: hardened as the service's own is, and told by a file of a volume who serves."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dockyard.engines.containers import Container
from dockyard.errors import EngineError
from dockyard.gateway.admin import Admin
from dockyard.gateway.config import FOLDER, NAME, PORT, render
from dockyard.plan import PROJECT, ROLE
from dockyard.run import ours, url_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.engines import Engine
    from dockyard.engines.facts import ContainerFacts
    from dockyard.plan import RunPlan

ROLE_NAME = "gateway"
MADE = "dev.dockyard.gateway"
MEMORY = "256m"
PORT_KEY = f"{PORT}/tcp"


@dataclass(frozen=True, kw_only=True)
class Process:
    """The gateway of one service.

    Attributes:
        plan: The service's container, as the settings of today have it: its address and port are the gateway's.
        route: The route that answers 200 while the service serves.
        image: Returns the image, and makes it if it is missing.
    """

    engine: Engine
    plan: RunPlan
    route: str
    image: Callable[[], str]

    @property
    def name(self) -> str:
        """The container's name, and that of its volume."""
        return f"{self.plan.name}-{ROLE_NAME}"

    @property
    def facts(self) -> ContainerFacts | None:
        """The container as it is now; None if there is none of ours."""
        found = self.engine.daemon.container(self.name)
        return found if found and ours(found, self.plan.labels[PROJECT]) else None

    @property
    def running(self) -> bool:
        """Whether it runs."""
        facts = self.facts
        return facts is not None and facts.status == "running"

    @property
    def at(self) -> tuple[str, int]:
        """The address and the port that are to be published; 0 is any."""
        return self.plan.address, self.plan.port

    @property
    def published(self) -> tuple[str, int] | None:
        """The address and the port that it has."""
        facts = self.facts
        return facts.ports.get(PORT_KEY) if facts else None

    @property
    def port(self) -> int:
        """The port that it has; 0 if none."""
        published = self.published
        return published[1] if published else 0

    @property
    def url(self) -> str:
        """Where it answers on this host; empty if nowhere."""
        return url_of(self.facts, PORT)

    @property
    def admin(self) -> Admin:
        """Its socket."""
        return Admin(self.engine.daemon, self.name)

    def serve(self, container: str, plan: RunPlan, *, keep_port: int = 0) -> None:
        """Send new requests to a container; make or start the gateway if it is not as it should be.

        Args:
            container: Id of a healthy container.
            plan: Its plan: the gateway is on the same network.
            keep_port: The port to take if the settings name none.

        Raises:
            EngineError: The gateway cannot be made, or does not reach the container.
        """
        self._require(container, plan, keep_port)
        told = Container(daemon=self.engine.daemon, id=container).inspect()
        networks = told["NetworkSettings"]["Networks"]
        self.admin.send_to(container, networks[plan.network]["IPAddress"])

    def _require(self, serving: str, plan: RunPlan, keep_port: int) -> None:
        """Write who serves, and have a gateway of today's settings run."""
        facts = self.facts
        image = self.image()
        # What else it has of the service's settings is not worth the second that a new one costs.
        made = _fingerprint(image, *self.at, plan.network, plan.user, self._config(""))
        options = self._options(plan, self.plan.port or self.port or keep_port)
        if facts and facts.labels.get(MADE) != made:
            self.stop(plan.stop_timeout)
            self.engine.buildx.remove(facts.id)
            facts = None
        self.write(serving, image=image)
        if facts is None:
            options["labels"] = {**options["labels"], MADE: made}
            self.engine.buildx.require_network(plan.network, {PROJECT: plan.labels[PROJECT]})
            self.engine.buildx.create(image, **options)
        if facts is None or facts.status != "running":
            self._start()

    def _start(self) -> None:
        try:
            self.engine.buildx.start(self.name)
            self.admin.until_it_answers()
        except EngineError:
            self.remove()
            raise

    def _options(self, plan: RunPlan, port: int) -> dict[str, Any]:
        """Return the options of the engine's `create`: those of a service's container, where they are not its own."""
        options = plan.options()
        address = f"[{self.plan.address}]" if ":" in self.plan.address else self.plan.address
        return {
            **options,
            "name": self.name,
            "publish": [(f"{address}:{port or ''}", PORT)],
            "envs": {},
            "volumes": [(self.name, FOLDER, "ro")],
            "labels": {PROJECT: plan.labels[PROJECT], ROLE: ROLE_NAME},
            "memory": MEMORY,
            "memory_swap": MEMORY,
            "restart": "unless-stopped",
        }

    def write(self, serving: str, *, image: str = "") -> None:
        """Write down who serves, for the gateway's next start; empty is none."""
        self.engine.daemon.write_volume(
            self.name,
            image=image or self.image(),
            name=NAME,
            content=self._config(serving).encode(),
            group=self.plan.group,
            labels={PROJECT: self.plan.labels[PROJECT], ROLE: ROLE_NAME},
        )

    def _config(self, serving: str) -> str:
        return render(serving, spare=self.name, route=self.route, port=self.plan.container_port)

    def stop(self, seconds: int) -> None:
        """Stop it; it finishes what it has."""
        facts = self.facts
        if facts and facts.status == "running":
            self.engine.buildx.stop(facts.id, seconds=seconds)

    def remove(self) -> None:
        """Remove it, and the volume with its configuration."""
        facts = self.facts
        if facts:
            self.engine.buildx.remove(facts.id)
            self.engine.buildx.remove_volume(self.name)


def _fingerprint(*told: str | int) -> str:
    """Return twelve digits that are the same for the same gateway."""
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]
