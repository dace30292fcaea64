"""K8S: the manifests that run the image."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard.audit.facts.kubernetes_baseline import BASELINE
from dockyard.audit.facts.kubernetes_pods import pods, serving
from dockyard.audit.facts.kubernetes_restricted import RESTRICTED
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Severity, broken, holds, unknown
from dockyard.settings.fields import SECRET_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.facts.kubernetes_pods import Pod
    from dockyard.audit.facts.yaml_files import Node
    from dockyard.audit.observed import Stop
    from dockyard.audit.read import TextFile
    from dockyard.audit.verdict import Proof
    from dockyard.settings import Settings

NO_PODS = "No manifest has a pod."
BY_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")
# What Kubernetes gives where a pod says nothing.
GRACE = 30


class Probes(Rule):
    """The container has startup, liveness and readiness probes that ask the routes of the health check.

    Kubernetes ignores an image's HEALTHCHECK: without probes it sends requests to a service that is still loading, and
    never restarts one that hangs. A liveness probe that asks for readiness restarts a healthy service whenever
    something it depends on is down.

    Remedy: Give the container `startupProbe`, `livenessProbe` and `readinessProbe` with `httpGet` on its own port, the
    first two with the health route and the last with the ready route; no `host`.
    """

    id = "K8S-01"
    title = "Probes replace HEALTHCHECK"
    severity = Severity.HIGH
    references = ("PSS baseline",)

    @part
    def probes(self, manifests: tuple[TextFile, ...], settings: Settings) -> Iterator[Proof]:
        """Every container of the service has the three probes."""
        smoke = settings.smoke
        wanted = {
            "startupProbe": (smoke.health, smoke.ready),
            "livenessProbe": (smoke.health,),
            "readinessProbe": (smoke.ready,),
        }
        found, problems = pods(manifests)
        yield from problems
        containers = serving(found, settings)
        if not containers:
            yield unknown(NO_PODS)
        for pod, container in containers:
            for name, routes in wanted.items():
                yield from _probe(pod, container, name, routes, settings.run.container_port)


def _probe(pod: Pod, container: Node, name: str, routes: tuple[str, ...], port: int) -> Iterator[Proof]:
    probe, who = container.get(name), pod.called(container)
    asked = probe.get("httpGet")
    if not asked.there:
        yield broken(f"{who}: {name} {'is no httpGet' if probe.there else 'is missing'}", probe.place)
        return
    path, given, host = asked.get("path"), asked.get("port"), asked.get("host")
    faults = []
    if (path.text or "/") not in routes:
        faults.append(broken(f"{who}: {name} asks {path.text or '/'}, wanted {' or '.join(routes)}", path.place))
    number = _number(container, given.text)
    if number != str(port):
        faults.append(broken(f"{who}: {name} asks port {number or '?'}, the service listens on {port}", given.place))
    if host.text:
        faults.append(broken(f"{who}: {name} asks the host {host.text}", host.place))
    yield from faults or [holds(f"{who}: {name} asks {path.text} on port {port}", asked.place)]


def _number(container: Node, port: str) -> str:
    """Return the number of a port that may be named."""
    named = (each for each in container.get("ports").each() if port and each.get("name").text == port)
    return next((each.get("containerPort").text for each in named), port)


class PodSecurity(Rule):
    """Every pod passes Pod Security Standards `restricted`, and so `baseline`.

    A cluster that enforces it refuses the pod otherwise; one that does not runs it with rights that an intruder can
    use. The checks are those of Kubernetes' own admission plugin, newest version; where `restricted` replaces a check
    of `baseline`, the stricter one is made.

    Remedy: Set `runAsNonRoot: true` and `seccompProfile.type: RuntimeDefault` on the pod, and
    `allowPrivilegeEscalation: false` and `capabilities.drop: [ALL]` on each container; take out what is named.
    """

    id = "K8S-02"
    title = "Manifest passes PSS restricted"
    severity = Severity.HIGH
    references = ("PSS restricted", "PSS baseline", "CIS 5.4", "OWASP Docker 3")

    @part
    def restricted(self, manifests: tuple[TextFile, ...]) -> Iterator[Proof]:
        """Each check holds for each pod."""
        found, problems = pods(manifests)
        yield from problems
        if not found:
            yield unknown(NO_PODS)
        checks = (*BASELINE, *RESTRICTED)
        for pod in found:
            violations = [broken(text, node.place) for check in checks for text, node in check(pod)]
            yield from violations or [holds(f"{pod.name} passes all {len(checks)} checks", pod.spec.place)]


class BeyondPodSecurity(Rule):
    """The pod has what Pod Security does not ask for: a read-only root, no token, secrets as files, limits.

    `restricted` lets an intruder change the container's files, use the pod's account on the cluster, and take all
    memory of the node; a secret in a variable is in every dump of the environment.

    Remedy: Set `readOnlyRootFilesystem: true` with an `emptyDir` at /tmp and a volume for the logs,
    `automountServiceAccountToken: false`, limits of memory and CPU, and mount the secret as a volume.
    """

    id = "K8S-03"
    title = "Beyond PSS: read-only root, no token, secrets as files, limits"
    severity = Severity.MEDIUM
    references = ("OWASP Docker 7", "OWASP Docker 8", "OWASP Docker 12", "CIS 5.11", "CIS 5.13")

    @part
    def beyond(self, manifests: tuple[TextFile, ...], settings: Settings) -> Iterator[Proof]:
        """Every pod, and every container in it, is confined further."""
        found, problems = pods(manifests)
        yield from problems
        if not found:
            yield unknown(NO_PODS)
        logs = {(container.file, container.line) for _, container in serving(found, settings)}
        for pod in found:
            token = pod.spec.get("automountServiceAccountToken")
            if token.value is not False:
                yield broken(f"{pod.name}: automountServiceAccountToken is {token.text or 'not set'}", token.place)
            for container in pod.all_containers:
                wanted = ("/tmp", settings.run.logs_target) if (container.file, container.line) in logs else ()  # noqa: S108
                faults = [*_writable(pod, container, wanted), *_secrets(pod, container), *_limits(pod, container)]
                yield from faults or [holds(f"{pod.called(container)} is confined", container.place)]


def _writable(pod: Pod, container: Node, folders: tuple[str, ...]) -> Iterator[Proof]:
    """The root is read-only, and what must be written has a volume."""
    root = container.get("securityContext", "readOnlyRootFilesystem")
    if root.value is not True:
        yield broken(f"{pod.called(container)}: readOnlyRootFilesystem is {root.text or 'not set'}", root.place)
    mounts = container.get("volumeMounts")
    mounted = {
        each.get("mountPath").text.rstrip("/") for each in mounts.each() if each.get("readOnly").value is not True
    }
    for folder in folders:
        if folder.rstrip("/") not in mounted:
            yield broken(f"{pod.called(container)}: no volume is mounted at {folder}", mounts.place)


def _secrets(pod: Pod, container: Node) -> Iterator[Proof]:
    """No secret comes as a variable."""
    for each in container.get("envFrom").each():
        if each.get("secretRef").there:
            yield broken(f"{pod.called(container)}: envFrom has a secret", each.place)
    for each in container.get("env").each():
        name = each.get("name").text
        literal = each.get("value").text and SECRET_NAME.search(name) and not name.endswith("_FILE")
        if each.get("valueFrom", "secretKeyRef").there or literal:
            yield broken(f"{pod.called(container)}: the variable {name} holds a secret", each.place)


def _limits(pod: Pod, container: Node) -> Iterator[Proof]:
    """Memory and CPU have limits; what is requested is the same where nothing else is said."""
    limits = container.get("resources", "limits")
    for name in ("memory", "cpu"):
        if not limits.get(name).text:
            yield broken(f"{pod.called(container)}: no limit of {name}", limits.place)


class DeployedByDigest(Rule):
    """The pod names its images by digest, and has longer to stop than the service takes.

    A tag can be moved after the audit: another image is then run under the name of the one that was examined. A pod
    whose grace ends first is killed with requests in it.

    Remedy: Write `image: NAME@sha256:…` and a `terminationGracePeriodSeconds` above the time that was measured.
    """

    id = "K8S-04"
    title = "Deployed by digest, with time to stop"
    severity = Severity.MEDIUM
    references = ("OWASP Docker 13", "NIST 800-190 4.1.5")

    @part
    def digests(self, manifests: tuple[TextFile, ...]) -> Iterator[Proof]:
        """Every image is named by its digest."""
        found, problems = pods(manifests)
        yield from problems
        containers = [(pod, each.get("image")) for pod in found for each in pod.all_containers]
        if not containers:
            yield unknown(NO_PODS)
        for pod, image in containers:
            proof = holds if BY_DIGEST.fullmatch(image.text) else broken
            yield proof(f"{pod.name}: image is {image.text or 'not set'}", image.place)

    @part
    def grace(self, manifests: tuple[TextFile, ...], settings: Settings, stop: Stop) -> Iterator[Proof]:
        """What is run before the stop and the stop itself fit into the grace."""
        for pod, container in serving(pods(manifests)[0], settings):
            grace = pod.spec.get("terminationGracePeriodSeconds")
            allowed = grace.value if isinstance(grace.value, int) else GRACE
            before = container.get("lifecycle", "preStop", "sleep", "seconds").value
            needed = stop.seconds + (before if isinstance(before, int) else 0)
            proof = holds if allowed > needed else broken
            yield proof(
                f"{pod.name}: terminationGracePeriodSeconds is {allowed}, a stop takes {needed:.1f} s", grace.place
            )
