"""What is asked of a swarm: read over the socket, acted on through docker's command line.

One thing is made over the socket: a secret, because there it touches neither an argument list nor a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.engines import process
from dockyard.engines.daemon import guarded
from dockyard.engines.swarm_facts import read_secret, read_service, read_swarm, read_task
from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dockyard.engines.daemon import Daemon
    from dockyard.engines.swarm_facts import SecretFacts, ServiceFacts, SwarmFacts, TaskFacts

# A manager that asks a registry which platforms an image is for may have to wait for it.
DEPLOY_SECONDS = 180


@dataclass(frozen=True, kw_only=True)
class Swarm:
    """The swarm that an engine belongs to.

    Attributes:
        daemon: The engine's socket.
    """

    daemon: Daemon

    def state(self) -> SwarmFacts:
        """Return what the engine's own part in a swarm is."""
        with guarded("It was asked for its swarm."):
            return read_swarm(self.daemon.api.info())

    def init(self, address: str) -> None:
        """Make the engine the first manager of a new swarm.

        Raises:
            EngineError: It is in one, or has several addresses and none was named.
        """
        named = ("--advertise-addr", address) if address else ()
        done = process.run(("docker", "swarm", "init", *named))
        if not done.ok:
            raise EngineError(
                "No swarm could be made, so nothing was deployed.",
                done.last_line,
                "Name an address of this machine that other nodes reach: `advertise` in [tool.dockyard.deploy.swarm].",
            )

    def service(self, name: str) -> ServiceFacts | None:
        """Return a service by name, or None."""
        with guarded(f"It was asked for the service {name}."):
            told = self.daemon.api.services(filters={"name": name})  # type: ignore[no-untyped-call]
        # The engine takes a name for the beginning of one.
        return next((read_service(each) for each in told if each["Spec"]["Name"] == name), None)

    def tasks(self, service: str) -> tuple[TaskFacts, ...]:
        """Return the tasks of a service, those that ended and are remembered too; the newest first."""
        with guarded(f"It was asked for the tasks of {service}."):
            told = self.daemon.api.tasks(filters={"service": service})  # type: ignore[no-untyped-call]
        return tuple(map(read_task, sorted(told, key=lambda each: each["CreatedAt"], reverse=True)))

    def nodes(self) -> dict[str, str]:
        """Return the name of each node by its id."""
        with guarded("It was asked for the nodes of its swarm."):
            return {each["ID"]: each["Description"]["Hostname"] for each in self.daemon.api.nodes()}

    def secrets(self, name: str) -> tuple[SecretFacts, ...]:
        """Return the secrets of that name with a number behind it, the newest last; never their values."""
        with guarded(f"It was asked for the secrets {name}."):
            found = map(read_secret, self.daemon.api.secrets(filters={"name": name}))
        return tuple(sorted((each for each in found if each.base == name and each.number), key=lambda it: it.number))

    def make_secret(self, name: str, content: bytes, labels: Mapping[str, str]) -> None:
        """Keep a secret."""
        with guarded(f"The secret {name} was to be made."):
            self.daemon.api.create_secret(name, content, labels=dict(labels))

    def remove_secret(self, name: str) -> None:
        """Forget a secret; the engine refuses while a service uses it."""
        with guarded(f"The secret {name} was to be removed."):
            self.daemon.api.remove_secret(name)

    def deploy(self, stack: str, file: Path, *, variables: Mapping[str, str], asks_registry: bool) -> None:
        """Bring a stack file up; it is there at once, and its tasks come later.

        Args:
            stack: Its name.
            file: The stack file.
            variables: What is put into it.
            asks_registry: Whether the image is looked up in its registry; nodes then get the password for it too.

        Raises:
            EngineError: Docker refuses it.
        """
        registry = "--with-registry-auth" if asks_registry else "--resolve-image=never"
        command = ("docker", "stack", "deploy", f"--compose-file={file}", registry, stack)
        done = process.run(command, environment=variables, timeout=DEPLOY_SECONDS, finish=True)
        if not done.ok:
            raise EngineError(
                f"The stack {stack} was not taken.", done.last_line, "Mend what is said above, in [tool.dockyard]."
            )

    def task_log(self, task: str, *, lines: int) -> tuple[str, ...]:
        """Return the last lines that a task logged, on whichever node; none where they cannot be had."""
        try:
            done = process.run(
                ("docker", "service", "logs", "--raw", "--no-trunc", f"--tail={lines}", task), timeout=15
            )
        except EngineError:
            return ()
        return tuple((done.output + done.error).splitlines()) if done.ok else ()
