"""Brings a release to a cluster: asked first, then applied, then waited for; taken back if it does not become ready."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dockyard.deploy.diagnose import reasons
from dockyard.errors import DeployError, EngineError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from dockyard.deploy.kubectl import Kubectl
    from dockyard.deploy.workload import Workload

REVISION = "deployment.kubernetes.io/revision"
# What the server says where somebody else set a field that we set too.
CONFLICT = "conflict"


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A release that serves.

    Attributes:
        where: For people.
        seconds: Until it was complete.
        changed: Whether anything was to be done for it.
    """

    name: str
    image: str
    where: str
    seconds: float
    changed: bool = True


def apply(workload: Workload, folder: Path, kubectl: Kubectl, *, announce: Callable[[str], None]) -> Deployed:
    """Apply a Kustomization and wait until every pod of it is ready.

    Args:
        workload: What the folder was written from.
        folder: Of the Kustomization.
        kubectl: Of the namespace that it is for.
        announce: Told of each step.

    Raises:
        DeployError: The server refuses it, or it did not become ready and was taken back.
        EngineError: There is no kubectl, or the cluster does not answer.
        Interrupted: Ctrl-C; the rollout goes on in the cluster.
    """
    _require_secret(workload, kubectl)
    before = _revision(kubectl, workload.name)
    announce("asking the server whether it takes it (dry run)")
    force = _accepted(folder, kubectl, announce)
    began = time.monotonic()
    announce("applying")
    try:
        done = kubectl.apply(folder, dry=False, force=force)
        if not done.ok:
            raise DeployError(
                "The server took a part at most of what was applied.",
                done.error.strip() or done.last_line,
                "Mend what it names, and deploy again; pods that serve were left alone.",
            )
        announce(f"waiting until the pods are ready, {workload.wanted.wait} s at most")
        status = kubectl.rollout(workload.name, seconds=workload.wanted.wait)
        if not status.ok:
            raise _taken_back(workload, kubectl, before, status.last_line)
    except KeyboardInterrupt:
        raise Interrupted(
            f"Nobody waits for {workload.name} any more.",
            "Ctrl-C was pressed; the rollout goes on in the cluster.",
            f"Take it back with `kubectl rollout undo deployment/{workload.name}`, or deploy again.",
        ) from None
    where = f"namespace {kubectl.namespace}, context {kubectl.context}"
    return Deployed(name=workload.name, image=workload.image, where=where, seconds=time.monotonic() - began)


def _require_secret(workload: Workload, kubectl: Kubectl) -> None:
    """Refuse what could never start: pods whose key is not there."""
    found, entry = kubectl.entries(workload.secret), workload.wanted.secret_key
    if found is not None and entry in found:
        return
    missing = f"no secret {workload.secret}" if found is None else f"no entry {entry} in the secret {workload.secret}"
    made = f"--namespace {kubectl.namespace} --from-file={entry}=FILE"
    raise DeployError(
        "There is no API key for the pods, so nothing was applied.",
        f"The namespace {kubectl.namespace} has {missing}.",
        f"Make it: `kubectl create secret generic {workload.secret} {made}`",
    )


def _accepted(folder: Path, kubectl: Kubectl, announce: Callable[[str], None]) -> bool:
    """Whether fields that somebody else set must be taken over; refuse what the server refuses.

    A rollback of ours is one such somebody: the cluster notes it under kubectl's name, not under ours.
    """
    done = kubectl.apply(folder, dry=True)
    taken = CONFLICT in done.error
    if taken:
        announce(f"taking over what others set since: {_told(done.error)}")
        done = kubectl.apply(folder, dry=True, force=True)
    if not done.ok:
        raise DeployError(
            "The server would refuse it, so nothing was applied.",
            done.error.strip() or done.last_line,
            "Mend what it names: in [tool.dockyard.deploy], or in the cluster.",
        )
    return taken


def _told(error: str) -> str:
    lines = (line.strip().removeprefix("error: ") for line in error.splitlines() if CONFLICT in line or "- ." in line)
    return "; ".join(filter(None, lines))


def _revision(kubectl: Kubectl, name: str) -> str:
    """Return which revision of the Deployment serves now; empty if there is none."""
    found: Mapping[str, Any] = kubectl.get("deployment", name)
    revision: str = (found.get("metadata", {}).get("annotations") or {}).get(REVISION, "")
    return revision


def _taken_back(workload: Workload, kubectl: Kubectl, before: str, why: str) -> DeployError:
    """Say why the pods did not become ready, and bring back what was there."""
    name, what = workload.name, f"{workload.name} did not become ready"
    try:
        why = f"{why}\n{reasons(kubectl, f'app.kubernetes.io/name={name}')}"
        now = _revision(kubectl, name)
    except EngineError as error:
        return DeployError(f"{what}, and nothing was taken back.", f"{why}\n{error.why}", error.todo)
    look = f"Look at it: `kubectl --namespace {kubectl.namespace} describe deployment {name}`"
    if not before:
        return DeployError(f"{what}; there was nothing to go back to.", why, look)
    if now == before:
        return DeployError(f"{what}; its pods are the same as before, so nothing was taken back.", why, look)
    undone = kubectl.undo(name, before)
    if not undone.ok:
        return DeployError(f"{what}, and could not be taken back.", f"{why}\n{undone.last_line}", look)
    back = kubectl.rollout(name, seconds=workload.wanted.wait)
    state = f"Revision {before} serves again." if back.ok else f"Revision {before} is back, but: {back.last_line}"
    return DeployError(f"{what} and was taken back.", why, f"{state} Mend what is said above, then deploy again.")
