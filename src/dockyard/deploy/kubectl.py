"""The door to a cluster: kubectl, with a context and a namespace that are always said."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dockyard.engines import process
from dockyard.errors import EngineError

if TYPE_CHECKING:
    from pathlib import Path

# Who owns the fields that are applied; a cluster keeps the name beside each.
MANAGER = "dockyard"
PROGRAM = "kubectl"


def current_context() -> str:
    """Return kubectl's own context.

    Raises:
        EngineError: There is no kubectl, or it has none.
    """
    told = process.run((PROGRAM, "config", "current-context"))
    if told.code == process.COMMAND_MISSING:
        raise EngineError(
            "There is no kubectl here, so nothing was applied.", told.error, "Install it; the files are written."
        )
    if not told.ok:
        raise EngineError(
            "kubectl knows no cluster, so nothing was applied.",
            told.last_line,
            "Give it a context, or name one with `--context`.",
        )
    return told.output.strip()


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl on one namespace of one cluster."""

    context: str
    namespace: str

    def call(self, *words: str, timeout: float = 60) -> process.Completed:
        """Run a command and return what it did.

        Raises:
            EngineError: It did not end in time, or there is no kubectl.
        """
        done = process.run((PROGRAM, "--context", self.context, "--namespace", self.namespace, *words), timeout=timeout)
        if done.code == process.COMMAND_MISSING:
            raise EngineError(
                "There is no kubectl here, so nothing was applied.", done.error, "Install it; the files are written."
            )
        return done

    def get(self, *words: str) -> dict[str, Any]:
        """Return an object, or a list of them; nothing if it is not there.

        Raises:
            EngineError: The cluster does not answer, or refuses.
        """
        done = self.call("get", *words, "--ignore-not-found", "--output=json")
        if not done.ok:
            raise EngineError(
                f"The cluster of context {self.context} does not tell what is there.",
                done.last_line,
                "Look at your access: `kubectl auth can-i --list`.",
            )
        found: dict[str, Any] = json.loads(done.output) if done.output.strip() else {}
        return found

    def entries(self, secret: str) -> tuple[str, ...] | None:
        """Return the names of a secret's entries, never their values; None if there is no such secret.

        Raises:
            EngineError: The cluster does not answer, or refuses.
        """
        names = "{{range $name, $value := .data}}{{$name}} {{end}}"
        done = self.call("get", "secret", secret, f"--output=go-template={names}")
        if not done.ok and "NotFound" not in done.error:
            raise EngineError(
                f"The cluster of context {self.context} does not answer, so nothing was applied.",
                done.last_line,
                "Look at your access: `kubectl auth can-i --list`.",
            )
        return tuple(done.output.split()) if done.ok else None

    def apply(self, folder: Path, *, dry: bool, force: bool = False) -> process.Completed:
        """Apply a Kustomization on the server's side, or let the server only say whether it would take it."""
        words = ["apply", "--server-side", f"--field-manager={MANAGER}", f"--kustomize={folder}"]
        words += ["--dry-run=server"] if dry else []
        words += ["--force-conflicts"] if force else []
        return self.call(*words, timeout=120)

    def rollout(self, name: str, *, seconds: int) -> process.Completed:
        """Wait until a Deployment's rollout is complete or has failed."""
        words = ("rollout", "status", f"deployment/{name}", f"--timeout={seconds}s")
        return self.call(*words, timeout=seconds + 30)

    def undo(self, name: str, revision: str) -> process.Completed:
        """Bring a Deployment's earlier revision back."""
        return self.call("rollout", "undo", f"deployment/{name}", f"--to-revision={revision}")
