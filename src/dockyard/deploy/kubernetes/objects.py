"""Everything around the pods: who they are, what they are told, how they are reached, how many there are."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from dockyard.deploy.kubernetes.quantities import memory

if TYPE_CHECKING:
    from dockyard.deploy.workload import Workload

Object = dict[str, Any]

NAME = "app.kubernetes.io/name"
CONFIG_COMMENT = (
    "Its name holds a digest of what is in it: a change starts new pods, and a rollback finds the old one again."
)
CLAIM_COMMENT = "Each pod writes to a folder of its own name in this volume."
BUDGET_COMMENT = "A drained node takes one pod at a time; one that is not ready hinders nobody."


def selector(workload: Workload) -> dict[str, str]:
    """Return what tells our pods from others; it can never be changed afterwards."""
    return {NAME: workload.name}


def metadata(workload: Workload, name: str = "") -> Object:
    """Return an object's name, place and labels."""
    labels = {**selector(workload), "app.kubernetes.io/managed-by": "dockyard"}
    return {"name": name or workload.name, "namespace": workload.namespace, "labels": labels}


def config_name(workload: Workload) -> str:
    """Return the name of the ConfigMap."""
    told = json.dumps(dict(workload.container.env), sort_keys=True)
    return f"{workload.name}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"


def service_account(workload: Workload) -> Object:
    """Return an account that has no rights, and whose token no pod gets."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(workload),
        "automountServiceAccountToken": False,
    }


def config(workload: Workload) -> Object:
    """Return the variables of the container, none of which is a secret."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(workload, config_name(workload)),
        "immutable": True,
        "data": dict(sorted(workload.container.env.items())),
    }


def claim(workload: Workload) -> Object:
    """Return the claim of the volume for logs."""
    wanted = workload.wanted
    spec: Object = {
        "accessModes": [wanted.logs_access],
        "resources": {"requests": {"storage": memory(wanted.logs_size)}},
    }
    if wanted.logs_class:
        spec["storageClassName"] = wanted.logs_class
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata(workload, f"{workload.name}-logs"),
        "spec": spec,
    }


def service(workload: Workload) -> Object:
    """Return the address inside the cluster."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(workload),
        "spec": {
            "type": "ClusterIP",
            "selector": selector(workload),
            "ports": [{"name": "http", "port": workload.wanted.port, "targetPort": "http", "protocol": "TCP"}],
        },
    }


def disruption_budget(workload: Workload) -> Object:
    """Return how many pods may be taken away on purpose; counted from above, so that one pod can be moved too."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(workload),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": selector(workload)},
        },
    }


def autoscaler(workload: Workload) -> Object:
    """Return how many pods there are: between two numbers, as the CPU asks for."""
    wanted = workload.wanted
    target = {"type": "Utilization", "averageUtilization": wanted.cpu_target}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(workload),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload.name},
            "minReplicas": wanted.replicas,
            "maxReplicas": wanted.max_replicas,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }
