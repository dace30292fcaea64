"""The pods: the hardened container of `invoke run --prod`, and how one release takes another's place."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from dockyard.deploy.kubernetes.objects import Object, config_name, metadata, selector
from dockyard.deploy.kubernetes.quantities import memory, resources
from dockyard.plan import KEY_NAME, SECRETS

if TYPE_CHECKING:
    from dockyard.deploy.workload import Workload

# Old ReplicaSets that a rollback can go to.
HISTORY = 5
# `r--r-----`; YAML's readers disagree on how to write it in octal.
READ_ONLY = 0o440


def comment(workload: Workload) -> str:
    """Return what an operator must have done before."""
    secret, entry = workload.secret, workload.wanted.secret_key
    return (
        f"The secret {secret} is yours to make; its value is in no file of this project:\n"
        f"  kubectl create secret generic {secret} --namespace NAMESPACE --from-file={entry}=FILE"
    )


def deployment(workload: Workload) -> Object:
    """Return the Deployment; how many pods it has is the autoscaler's to say."""
    wanted = workload.wanted
    labels = metadata(workload)["labels"]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(workload),
        "spec": {
            "selector": {"matchLabels": selector(workload)},
            "revisionHistoryLimit": HISTORY,
            "minReadySeconds": wanted.settle,
            "progressDeadlineSeconds": wanted.wait,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {"metadata": {"labels": labels}, "spec": _pod(workload)},
        },
    }


def _pod(workload: Workload) -> Object:
    group = workload.container.group
    pull = {"imagePullSecrets": [{"name": workload.wanted.pull_secret}]} if workload.wanted.pull_secret else {}
    return {
        "serviceAccountName": workload.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        **pull,
        "terminationGracePeriodSeconds": workload.grace,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": workload.uid,
            "runAsGroup": group,
            "fsGroup": group,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **_spread(workload),
        "containers": [_container(workload)],
        "volumes": _volumes(workload),
    }


def _spread(workload: Workload) -> Object:
    """Prefer that pods of one release do not fail together; never leave one unscheduled for it."""
    constraints = [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": selector(workload)},
            "matchLabelKeys": ["pod-template-hash"],
        }
        for key in workload.wanted.spread
    ]
    return {"topologySpreadConstraints": constraints} if constraints else {}


def _container(workload: Workload) -> Object:
    container, wanted = workload.container, workload.wanted
    claimed = wanted.logs == "pvc"
    logs: Object = {"name": "logs", "mountPath": workload.logs}
    pod_name = {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    before_end = {"lifecycle": {"preStop": {"sleep": {"seconds": wanted.pre_stop}}}} if wanted.pre_stop else {}
    return {
        "name": workload.name,
        "image": workload.image,
        "imagePullPolicy": "IfNotPresent" if "@" in workload.image else "Always",
        "ports": [{"name": "http", "containerPort": container.container_port, "protocol": "TCP"}],
        "envFrom": [{"configMapRef": {"name": config_name(workload)}}],
        **({"env": [pod_name]} if claimed else {}),
        "resources": resources(wanted, size=container.memory, count=container.cpus),
        **_probes(workload),
        **before_end,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "privileged": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the container's
            {**logs, "subPathExpr": "$(POD_NAME)"} if claimed else logs,
            {"name": "key", "mountPath": SECRETS, "readOnly": True},
        ],
    }


def _probes(workload: Workload) -> Object:
    """Return the three probes: Kubernetes does not look at the image's health check.

    The first two ask whether the process lives: a service that waits for its model is not restarted, it gets no
    requests.
    """
    health = workload.health

    def probe(route: str, period: float, failures: int) -> Object:
        return {
            "httpGet": {"path": route, "port": "http"},
            "periodSeconds": _seconds(period),
            "timeoutSeconds": _seconds(health.timeout),
            "failureThreshold": failures,
        }

    start = _seconds(health.start_interval)
    budget = max(health.wait, health.start_period)
    return {
        "startupProbe": probe(health.alive, start, math.ceil(budget / start)),
        "livenessProbe": probe(health.alive, health.interval, health.retries),
        "readinessProbe": probe(health.ready, health.interval, health.retries),
    }


def _seconds(duration: float) -> int:
    return max(1, math.ceil(duration))


def _volumes(workload: Workload) -> list[Object]:
    """Return what is mounted: memory at /tmp as large as the hardened container's, the logs, the key."""
    options = workload.container.options()["tmpfs"][0]
    size = re.search(r"size=(\d+[kmg])", options)
    limit = {"sizeLimit": memory(size[1])} if size else {}
    wanted = workload.wanted
    claimed = {"persistentVolumeClaim": {"claimName": f"{workload.name}-logs"}}
    passing = {"emptyDir": {"sizeLimit": memory(wanted.logs_size)}}
    items = [{"key": wanted.secret_key, "path": KEY_NAME}]
    return [
        {"name": "tmp", "emptyDir": {"medium": "Memory", **limit}},
        {"name": "logs", **(claimed if wanted.logs == "pvc" else passing)},
        {"name": "key", "secret": {"secretName": workload.secret, "defaultMode": READ_ONLY, "items": items}},
    ]
