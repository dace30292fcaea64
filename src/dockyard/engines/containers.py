"""One container looked into: its processes, its changes, its output, and short commands run in it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dockyard.engines import process
from dockyard.engines.daemon import guarded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dockyard.engines.daemon import Daemon

CHANGES = ("changed", "added", "deleted")


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container of the engine.

    Attributes:
        daemon: The engine's socket.
        id: Its id or name.
    """

    daemon: Daemon
    id: str

    def inspect(self) -> Mapping[str, Any]:
        """Return the whole answer of `docker inspect`."""
        with guarded(f"It was asked for the container {self.id}."):
            return self.daemon.api.inspect_container(self.id)  # type: ignore[no-any-return]

    def processes(self) -> tuple[tuple[int, int, str, str], ...]:
        """Return pid, uid, state and command of every process, as the engine's host sees them."""
        with guarded(f"It was asked for the processes of {self.id}."):
            rows = self.daemon.api.top(self.id, ps_args="-eo pid,uid,state,args")["Processes"] or ()
        return tuple((int(pid), int(uid), state, command) for pid, uid, state, command in rows)

    def changes(self) -> tuple[tuple[str, str], ...]:
        """Return what its file system was changed in: added, changed or deleted, and the path."""
        with guarded(f"It was asked for the changes of {self.id}."):
            return tuple((CHANGES[each["Kind"]], each["Path"]) for each in self.daemon.api.diff(self.id) or ())

    def output(self) -> bytes:
        """Return all that it wrote to standard output and standard error, byte for byte."""
        with guarded(f"It was asked for the log of {self.id}."):
            return bytes(self.daemon.api.logs(self.id))

    def last_end(self, *, since: float) -> int | None:
        """Return the exit code of its last end after a moment; None if the engine has forgotten, or there was none.

        A container that was started again does not tell: the engine's events do, of which it keeps the last few.
        """
        asked = {"type": "container", "container": self.id, "event": "die"}
        with guarded(f"It was asked what befell {self.id}."):
            events = self.daemon.api.events(since=int(since), until=int(time.time()) + 1, filters=asked, decode=True)
            codes = [each["Actor"]["Attributes"]["exitCode"] for each in events]
        return int(codes[-1]) if codes else None

    def send(self, signal: str) -> None:
        """Send a signal to its first process."""
        with guarded(f"{self.id} was sent SIG{signal}."):
            self.daemon.api.kill(self.id, signal)

    def execute(self, command: Sequence[str], *, seconds: float = 30) -> process.Completed:
        """Run a command in it, as its user; raise EngineError if that takes longer than `seconds`.

        Through the command line: over the socket there is no end to the wait for a command that hangs.
        """
        return process.run(["docker", "container", "exec", self.id, *command], timeout=seconds)


def make_volume(daemon: Daemon, name: str, labels: Mapping[str, str]) -> None:
    """Make an empty labelled volume."""
    with guarded(f"The volume {name} was to be made."):
        daemon.api.create_volume(name, labels=dict(labels))
