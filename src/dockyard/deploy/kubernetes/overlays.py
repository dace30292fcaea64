"""The Kustomization of the base, and one for each environment: where it is, how many pods, how large."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.deploy.emit import Block, emit
from dockyard.deploy.kubernetes.quantities import resources

if TYPE_CHECKING:
    from dockyard.deploy.kubernetes.objects import Object
    from dockyard.deploy.workload import Workload
    from dockyard.settings.deploys import Overlay

HEAD = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}


def base(manifests: str) -> Object:
    """Return the Kustomization of the plain manifests."""
    return {**HEAD, "resources": [manifests]}


def namespace(workload: Workload, name: str, overlay: Overlay) -> str:
    """Return the namespace of an environment: one of its own, so that two can share a cluster."""
    return overlay.namespace or f"{workload.namespace}-{name}"


def overlay(workload: Workload, name: str, said: Overlay) -> Object:
    """Return the Kustomization of an environment."""
    patches = [{"patch": Block(emit(each))} for each in _patches(workload, said)]
    return {
        **HEAD,
        "namespace": namespace(workload, name, said),
        "resources": ["../../base"],
        **({"patches": patches} if patches else {}),
    }


def _patches(workload: Workload, said: Overlay) -> list[Object]:
    """Return what replaces the base's, as far as something else is said."""
    patches = []
    if said.memory or said.cpus or said.memory_request or said.cpus_request:
        patches.append(_deployment(workload, said))
    counts = {"minReplicas": said.replicas, "maxReplicas": said.max_replicas}
    given = {key: value for key, value in counts.items() if value}
    if given:
        head = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler"}
        patches.append({**head, "metadata": _found(workload), "spec": given})
    return patches


def _found(workload: Workload) -> Object:
    """Return what a patch is for; the base's namespace is how it finds it, whatever the environment's."""
    return {"name": workload.name, "namespace": workload.namespace}


def _deployment(workload: Workload, said: Overlay) -> Object:
    container, wanted = workload.container, workload.wanted
    merged = said.model_copy(
        update={
            "memory_request": said.memory_request or ("" if said.memory else wanted.memory_request),
            "cpus_request": said.cpus_request or (None if said.cpus else wanted.cpus_request),
        }
    )
    own = {
        "name": workload.name,
        "resources": resources(merged, size=said.memory or container.memory, count=said.cpus or container.cpus),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _found(workload),
        "spec": {"template": {"spec": {"containers": [own]}}},
    }
