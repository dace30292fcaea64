"""Why pods do not become ready, from what a cluster tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.deploy.kubectl import Kubectl

LAST_LINES = 15
LAST_EVENTS = 5
# How much of a message is told.
LETTERS = 300


def reasons(kubectl: Kubectl, selector: str) -> str:
    """Return what hinders pods, each told once; the last lines and events of the first of them."""
    pods = [each for each in kubectl.get("pods", f"--selector={selector}").get("items", []) if not _ready(each)]
    if not pods:
        return "No pod is there that is not ready: look at `kubectl describe` of the Deployment and its ReplicaSets."
    told = dict.fromkeys(f"{pod['metadata']['name']}: {reason}" for pod in pods for reason in _hindered(pod))
    worst = max(pods, key=_restarts)
    return "\n".join([*told, *_log(kubectl, worst), *_events(kubectl, worst)])


def _ready(pod: Mapping[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _containers(pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    return pod.get("status", {}).get("containerStatuses") or []


def _restarts(pod: Mapping[str, Any]) -> int:
    return sum(each.get("restartCount", 0) for each in _containers(pod))


def _hindered(pod: Mapping[str, Any]) -> Iterator[str]:
    """Yield why a pod is not ready: why it was not placed, what its container waits for, how it ended before."""
    for condition in pod.get("status", {}).get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield _said(condition)
    for each in _containers(pod):
        state, last = each.get("state") or {}, each.get("lastState") or {}
        if "waiting" in state:
            yield _said(state["waiting"])
        ended = state.get("terminated") or last.get("terminated")
        if ended:
            restarts = each.get("restartCount", 0)
            yield f"ended with exit code {ended.get('exitCode')}, {_said(ended)}; {restarts} restarts"
        if "running" in state and not each.get("ready"):
            yield "runs, but does not answer that it is ready"


def _said(told: Mapping[str, Any]) -> str:
    return ": ".join(filter(None, (told.get("reason"), " ".join((told.get("message") or "").split())[:LETTERS])))


def _log(kubectl: Kubectl, pod: Mapping[str, Any]) -> Iterator[str]:
    """Yield the last lines of a pod's container; of the one before it, if it was restarted."""
    words = ["logs", pod["metadata"]["name"], f"--tail={LAST_LINES}"]
    for each in ([*words, "--previous"], words) if _restarts(pod) else (words,):
        done = kubectl.call(*each)
        if done.ok and done.output.strip():
            yield f"Its last lines{', before it was restarted' if '--previous' in each else ''}:"
            yield from (f"  {line}" for line in done.output.splitlines())
            return


def _events(kubectl: Kubectl, pod: Mapping[str, Any]) -> Iterator[str]:
    """Yield the last warnings about a pod."""
    words = (f"--field-selector=involvedObject.name={pod['metadata']['name']},type=Warning", "--sort-by=.lastTimestamp")
    found = kubectl.get("events", *words).get("items", [])
    for each in found[-LAST_EVENTS:]:
        yield f"Event: {_said(each)}"
