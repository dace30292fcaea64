"""What a swarm says of itself, its services and their tasks, read from the API's answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a task is made of; if any of it differs, Swarm makes a new one.
MADE_OF = ("ContainerSpec", "Resources", "ForceUpdate")
FAILED = frozenset({"failed", "rejected", "orphaned"})


@dataclass(frozen=True, kw_only=True)
class SwarmFacts:
    """An engine's part in a swarm.

    Attributes:
        state: inactive, pending, active, error or locked.
        manager: Whether it may be told what to run.
        node: Its id as a node.
        error: Why it is in no good state.
    """

    state: str
    manager: bool
    node: str
    error: str


@dataclass(frozen=True, kw_only=True)
class SecretFacts:
    """A secret of a swarm.

    Attributes:
        base: Its name without the number.
        number: What stands behind the last dash; 0 if that is none.
    """

    id: str
    name: str
    base: str
    number: int
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class ServiceFacts:
    """A service of a swarm.

    Attributes:
        image: With its digest.
        secrets: Names of those that its tasks get.
        made_of: What its tasks are made of, as the API tells it.
        update: updating, paused, completed, rollback_started, rollback_paused or rollback_completed; empty before the
            first update.
        message: What Swarm says of that.
    """

    id: str
    name: str
    image: str
    replicas: int
    labels: Mapping[str, str]
    secrets: tuple[str, ...]
    made_of: Mapping[str, Any] = field(repr=False)
    update: str
    message: str


@dataclass(frozen=True, kw_only=True)
class TaskFacts:
    """One task of a service: a container, or the wish for one.

    Attributes:
        slot: Which of the service's replicas it is.
        state: new, pending, assigned, preparing, starting, running, complete, shutdown, failed, rejected and so on.
        desired: What it is to become.
        error: Why it is not.
        exit_code: Of its container.
        container: Its id; empty while there is none.
    """

    id: str
    slot: int
    node: str
    state: str
    desired: str
    error: str
    exit_code: int
    container: str
    image: str
    made_of: Mapping[str, Any] = field(repr=False)

    @property
    def runs(self) -> bool:
        """Whether it runs and is to go on; Swarm lets none run that has a health check and is not healthy."""
        return self.state == self.desired == "running"

    @property
    def failed(self) -> bool:
        """Whether it ended as it should not; a container that ends without an error is not wanted either."""
        return self.state in FAILED or (self.state == "complete" and self.desired != "remove")


def read_swarm(info: Mapping[str, Any]) -> SwarmFacts:
    """Read an answer of the info API."""
    told = info.get("Swarm") or {}
    return SwarmFacts(
        state=told.get("LocalNodeState") or "inactive",
        manager=bool(told.get("ControlAvailable")),
        node=told.get("NodeID", ""),
        error=told.get("Error", ""),
    )


def read_secret(told: Mapping[str, Any]) -> SecretFacts:
    """Read a member of an answer of the secrets API."""
    name = told["Spec"]["Name"]
    base, _, number = name.rpartition("-")
    return SecretFacts(
        id=told["ID"],
        name=name,
        base=base,
        number=int(number) if number.isascii() and number.isdigit() else 0,
        labels=told["Spec"].get("Labels") or {},
    )


def read_service(told: Mapping[str, Any]) -> ServiceFacts:
    """Read an answer of the service inspect API."""
    spec, update = told["Spec"], told.get("UpdateStatus") or {}
    container = spec["TaskTemplate"].get("ContainerSpec") or {}
    return ServiceFacts(
        id=told["ID"],
        name=spec["Name"],
        image=container.get("Image", ""),
        replicas=((spec.get("Mode") or {}).get("Replicated") or {}).get("Replicas", 0),
        labels=spec.get("Labels") or {},
        secrets=tuple(each["SecretName"] for each in container.get("Secrets") or ()),
        made_of=_made_of(spec["TaskTemplate"]),
        update=update.get("State", ""),
        message=update.get("Message", ""),
    )


def read_task(told: Mapping[str, Any]) -> TaskFacts:
    """Read a member of an answer of the tasks API."""
    status = told["Status"]
    container = status.get("ContainerStatus") or {}
    return TaskFacts(
        id=told["ID"],
        slot=told.get("Slot", 0),
        node=told.get("NodeID", ""),
        state=status["State"],
        desired=told["DesiredState"],
        error=status.get("Err", ""),
        exit_code=container.get("ExitCode", 0),
        container=container.get("ContainerID", ""),
        image=(told["Spec"].get("ContainerSpec") or {}).get("Image", ""),
        made_of=_made_of(told["Spec"]),
    )


def _made_of(template: Mapping[str, Any]) -> dict[str, Any]:
    return {key: template.get(key) or None for key in MADE_OF}
