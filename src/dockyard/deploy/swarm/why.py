"""Why tasks of a service ended, noted while it can be read: Swarm forgets old tasks, and nodes their containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dockyard.engines.swarm import Swarm
    from dockyard.engines.swarm_facts import TaskFacts

LAST_LINES = 15
# One of them is looked into; of the others how they ended is told.
TOLD = 5


class Reasons:
    """What ended tasks leave behind.

    Args:
        swarm: Asked for the containers of tasks that ran on this node, and for logs, wherever they ran.
        service: How it is called in what is told.
    """

    def __init__(self, swarm: Swarm, service: str) -> None:
        self._swarm, self._service = swarm, service
        self._told: dict[str, str] = {}
        self._detail: tuple[str, ...] = ()

    def note(self, tasks: Iterable[TaskFacts]) -> None:
        """Look at tasks that ended, each once."""
        for task in tasks:
            if task.id not in self._told:
                self._told[task.id] = self._ended(task)
                self._detail = self._detail or tuple(self._left(task))

    def lines(self) -> tuple[str, ...]:
        """Return how each ended, the same said once, and what one of them left."""
        told = list(dict.fromkeys(self._told.values()))
        more = [f"… and {len(told) - TOLD} others"] if len(told) > TOLD else []
        return (*told[:TOLD], *more, *self._detail)

    def _ended(self, task: TaskFacts) -> str:
        node = self._swarm.nodes().get(task.node, "")
        where = f" on node {node}" if node else ""
        return f"{self._service}.{task.slot}{where}: {task.error or f'it ended, with exit code {task.exit_code}'}"

    def _left(self, task: TaskFacts) -> Iterator[str]:
        """Yield why its container was killed, the last health output, and the last log lines."""
        if not task.container:
            return
        try:
            facts = self._swarm.daemon.container(task.container)
        except EngineError:
            facts = None
        if facts and facts.health == "unhealthy":
            yield "Swarm ended it: its health check failed too often."
        if facts and facts.oom_killed:
            yield f"It was killed for memory: its limit is {facts.memory / 2**20:.0f} MiB."
        if facts and facts.health_output:
            yield f"Health check: {facts.health_output}"
        lines = self._swarm.task_log(task.id, lines=LAST_LINES)
        yield "Last log lines:" if lines else "It logged nothing that this node can read."
        yield from (f"  | {line}" for line in lines)
