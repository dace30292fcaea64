"""Workload -> Kubernetes: plain manifests, which are the base of a Kustomization, and an overlay per environment.

They need Kubernetes 1.30 or newer, for the `sleep` before a pod's end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.deploy.emit import emit, emit_all
from dockyard.deploy.kubernetes import network, objects, overlays, pods

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.deploy.kubernetes.objects import Object
    from dockyard.deploy.workload import Workload

BASE = "kubernetes/base"
MANIFESTS = f"{BASE}/manifests.yaml"


def files(workload: Workload) -> dict[str, str]:
    """Return every file, by its path in the folder of deployments."""
    base = overlays.base(MANIFESTS.removeprefix(f"{BASE}/"))
    found = {f"{BASE}/kustomization.yaml": emit(base), MANIFESTS: emit_all(manifests(workload))}
    for name, overlay in workload.wanted.environments.items():
        found[f"{overlay_folder(name)}/kustomization.yaml"] = emit(overlays.overlay(workload, name, overlay))
    return dict(sorted(found.items()))


def overlay_folder(name: str) -> str:
    """Return the folder of an overlay."""
    return f"kubernetes/overlays/{name}"


def manifests(workload: Workload) -> Iterator[tuple[str, Object]]:
    """Yield each object after what it needs, with the comment that stands above it."""
    yield "", objects.service_account(workload)
    yield network.COMMENT, network.policy(workload)
    yield objects.CONFIG_COMMENT, objects.config(workload)
    if workload.wanted.logs == "pvc":
        yield objects.CLAIM_COMMENT, objects.claim(workload)
    yield "", objects.service(workload)
    yield pods.comment(workload), pods.deployment(workload)
    yield objects.BUDGET_COMMENT, objects.disruption_budget(workload)
    yield "", objects.autoscaler(workload)
