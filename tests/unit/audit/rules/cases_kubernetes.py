"""Manifests that pass and that fail each rule of K8S."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from dockyard.audit.observed import Exchange, Stop
from dockyard.audit.read import TextFile
from dockyard.settings import Settings

SETTINGS = Settings(root=Path("/project"), image="shop", version="1.0")
STOP = Stop(answer=Exchange(request="POST /predict", status=200, answer="{}"), exit_code=0, seconds=2.5, grace=10)
DEPLOYMENT = f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  template:
    metadata:
      annotations: {{}}
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 30
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      volumes:
        - name: tmp
          emptyDir: {{}}
        - name: key
          secret: {{secretName: shop}}
      containers:
        - name: shop
          image: registry.example/shop@sha256:{"a1" * 32}
          ports:
            - name: http
              containerPort: 8000
          env:
            - name: API_KEY_FILE
              value: /run/secrets/key
          envFrom: []
          resources:
            limits:
              memory: 512Mi
              cpu: "1"
          startupProbe:
            httpGet: {{path: /health, port: http}}
          livenessProbe:
            httpGet: {{path: /health, port: 8000}}
          readinessProbe:
            httpGet: {{path: /ready, port: http}}
          securityContext:
            readOnlyRootFilesystem: true
            allowPrivilegeEscalation: false
            capabilities:
              drop: [ALL]
          volumeMounts:
            - {{name: tmp, mountPath: /tmp}}
            - {{name: tmp, mountPath: /app/logs}}
            - {{name: key, mountPath: /run/secrets, readOnly: true}}
"""


def manifest(old: str = "", new: str = "") -> tuple[TextFile, ...]:
    """The good deployment with one change."""
    assert DEPLOYMENT.count(old) >= 1
    return (TextFile(path="deploy/shop.yaml", text=DEPLOYMENT.replace(old, new, 1) if old else DEPLOYMENT),)


def evidence(old: str = "", new: str = "", **changed: object) -> dict[str, object]:
    return {"manifests": manifest(old, new), "settings": SETTINGS, "stop": STOP, **changed}


def context(text: str) -> dict[str, object]:
    """The deployment with something added to the container's security context."""
    return evidence("            readOnlyRootFilesystem", f"            {text}\n            readOnlyRootFilesystem")


def of_pod(text: str) -> dict[str, object]:
    """The deployment with something added to the pod's security context."""
    return evidence("        runAsNonRoot: true", f"        {text}\n        runAsNonRoot: true")


def spec(text: str) -> dict[str, object]:
    """The deployment with something added to the pod."""
    return evidence("      automountS", f"      {text}\n      automountS")


def container(text: str) -> dict[str, object]:
    """The deployment with something added to the container."""
    return evidence("          envFrom: []", f"          {text}")


PASSING = dict.fromkeys(("K8S-01", "K8S-02", "K8S-03", "K8S-04"), evidence)
FAILING = {
    "K8S-01": [
        ("startupProbe is missing", partial(evidence, "startupProbe", "xProbe")),
        ("livenessProbe is missing", partial(evidence, "livenessProbe", "xProbe")),
        ("readinessProbe is no httpGet", partial(evidence, "httpGet: {path: /ready", "exec: {path: /ready")),
        ("livenessProbe asks /ready", partial(evidence, "{path: /health, port: 8000}", "{path: /ready, port: 8000}")),
        ("readinessProbe asks /health", partial(evidence, "path: /ready", "path: /health")),
        ("livenessProbe asks port 9000", partial(evidence, "port: 8000}", "port: 9000}")),
        (
            "asks port 9000, the service listens on 8000",
            partial(evidence, "containerPort: 8000", "containerPort: 9000"),
        ),
        ("asks the host evil", partial(evidence, "port: 8000}", "port: 8000, host: evil}")),
        ("is no YAML", partial(evidence, "kind: Deployment", "kind: [")),
    ],
    "K8S-02": [
        ("appArmorProfile.type is Unconfined", partial(context, "appArmorProfile: {type: Unconfined}")),
        (
            "annotation container.apparmor.security.beta.kubernetes.io/shop is unconfined",
            partial(evidence, "{}", "{container.apparmor.security.beta.kubernetes.io/shop: unconfined}"),
        ),
        ("hostNetwork is true", partial(spec, "hostNetwork: true")),
        ("hostPID is true", partial(spec, "hostPID: true")),
        ("hostIPC is true", partial(spec, "hostIPC: true")),
        ("hostPort 80", partial(evidence, "containerPort: 8000", "containerPort: 8000\n              hostPort: 80")),
        ("livenessProbe.httpGet.host is evil", partial(evidence, "port: 8000}", "port: 8000, host: evil}")),
        ("lifecycle.preStop.httpGet.host", partial(container, "lifecycle: {preStop: {httpGet: {host: evil}}}")),
        ("privileged is true", partial(context, "privileged: true")),
        ("seLinuxOptions.type is spc_t", partial(of_pod, "seLinuxOptions: {type: spc_t}")),
        ("seLinuxOptions.user is set", partial(of_pod, "seLinuxOptions: {user: root}")),
        ("sysctl kernel.msgmax", partial(of_pod, "sysctls: [{name: kernel.msgmax, value: '1'}]")),
        ("hostProcess is true", partial(of_pod, "windowsOptions: {hostProcess: true}")),
        ("allowPrivilegeEscalation is true", partial(evidence, "Escalation: false", "Escalation: true")),
        ("allowPrivilegeEscalation is not set", partial(evidence, "allowPrivilegeEscalation", "other")),
        ("capabilities.drop has no ALL", partial(evidence, "drop: [ALL]", "drop: [NET_RAW]")),
        (
            "capabilities.add has SYS_ADMIN",
            partial(evidence, "drop: [ALL]", "drop: [ALL]\n              add: [SYS_ADMIN]"),
        ),
        ("procMount is Unmasked", partial(context, "procMount: Unmasked")),
        ("volume tmp is hostPath", partial(evidence, "emptyDir: {}", "hostPath: {path: /}")),
        ("volume tmp is nfs", partial(evidence, "emptyDir: {}", "nfs: {server: a, path: /}")),
        ("runAsNonRoot is false", partial(evidence, "runAsNonRoot: true", "runAsNonRoot: false")),
        ("runAsNonRoot is not set", partial(evidence, "runAsNonRoot: true", "other: true")),
        ("container shop: runAsNonRoot is false", partial(context, "runAsNonRoot: false")),
        ("runAsUser is 0", partial(context, "runAsUser: 0")),
        ("seccompProfile is not set", partial(evidence, "seccompProfile", "other")),
        ("seccompProfile.type is Unconfined", partial(context, "seccompProfile: {type: Unconfined}")),
    ],
    "K8S-03": [
        ("readOnlyRootFilesystem is false", partial(evidence, "Filesystem: true", "Filesystem: false")),
        ("readOnlyRootFilesystem is not set", partial(evidence, "readOnlyRootFilesystem: true", "other: true")),
        ("no volume is mounted at /tmp", partial(evidence, "mountPath: /tmp}", "mountPath: /var/tmp}")),
        ("no volume is mounted at /tmp", partial(evidence, "mountPath: /tmp}", "mountPath: /tmp, readOnly: true}")),
        ("no volume is mounted at /app/logs", partial(evidence, "mountPath: /app/logs", "mountPath: /logs")),
        ("automountServiceAccountToken is not set", partial(evidence, "automountServiceAccountToken", "other")),
        ("automountServiceAccountToken is true", partial(evidence, "Token: false", "Token: true")),
        ("the variable API_KEY holds a secret", partial(evidence, "API_KEY_FILE", "API_KEY")),
        (
            "the variable API_KEY_FILE holds a secret",
            partial(evidence, "value: /run/secrets/key", "valueFrom: {secretKeyRef: {name: shop, key: k}}"),
        ),
        ("envFrom has a secret", partial(evidence, "envFrom: []", "envFrom: [{secretRef: {name: shop}}]")),
        ("no limit of memory", partial(evidence, "memory: 512Mi", "other: 1")),
        ("no limit of cpu", partial(evidence, 'cpu: "1"', "other: 1")),
    ],
    "K8S-04": [
        ("image is registry.example/shop:1", partial(evidence, f"@sha256:{'a1' * 32}", ":1")),
        ("image is not set", partial(evidence, "image: registry", "other: registry")),
        ("is 2, a stop takes 2.5 s", partial(evidence, "Seconds: 30", "Seconds: 2")),
        ("is 30, a stop takes 32.5 s", partial(container, "lifecycle: {preStop: {sleep: {seconds: 30}}}")),
    ],
}
