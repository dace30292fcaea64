"""Pod Security `restricted`, as `kubernetes/pod-security-admission` checks it in its newest version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.audit.facts.kubernetes_baseline import PROFILES, set_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockyard.audit.facts.kubernetes_baseline import Violation
    from dockyard.audit.facts.kubernetes_pods import Pod

VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)


def privilege_escalation(pod: Pod) -> Iterator[Violation]:
    """Every container forbids that a process gets more rights than its parent."""
    for container in () if pod.windows else pod.all_containers:
        found = container.get("securityContext", "allowPrivilegeEscalation")
        if found.value is not False:
            yield f"{pod.called(container)}: allowPrivilegeEscalation is {found.text or 'not set'}", found


def capabilities(pod: Pod) -> Iterator[Violation]:
    """Every container drops ALL, and adds NET_BIND_SERVICE at most."""
    for container in () if pod.windows else pod.all_containers:
        given = container.get("securityContext", "capabilities")
        if "ALL" not in [each.text for each in given.get("drop").each()]:
            yield f"{pod.called(container)}: capabilities.drop has no ALL", given.get("drop")
        for each in given.get("add").each():
            if each.text != "NET_BIND_SERVICE":
                yield f"{pod.called(container)}: capabilities.add has {each.text}", each


def proc_mount(pod: Pod) -> Iterator[Violation]:
    """The masks over /proc stay."""
    for container in pod.all_containers:
        found = container.get("securityContext", "procMount")
        if found.there and found.text != "Default":
            yield f"{pod.called(container)}: procMount is {found.text}", found


def volumes(pod: Pod) -> Iterator[Violation]:
    """No volume but those that Kubernetes itself provides or a driver answers for; so no folder of the host."""
    for volume in pod.spec.get("volumes").each():
        kinds = [name for name, value in volume.fields() if name != "name" and value.there]
        for kind in kinds:
            if kind not in VOLUMES:
                yield f"{pod.name}: volume {volume.get('name').text or '?'} is {kind}", volume


def run_as_non_root(pod: Pod) -> Iterator[Violation]:
    """The pod or each container has runAsNonRoot, and none takes it back."""
    if pod.own_users:
        return
    of_pod = pod.spec.get("securityContext", "runAsNonRoot")
    if of_pod.there and of_pod.value is not True:
        yield f"{pod.name}: runAsNonRoot is {of_pod.text}", of_pod
    for container in pod.all_containers:
        found = container.get("securityContext", "runAsNonRoot")
        if found.there and found.value is not True:
            yield f"{pod.called(container)}: runAsNonRoot is {found.text}", found
        elif not found.there and not of_pod.there:
            yield f"{pod.called(container)}: runAsNonRoot is not set", found


def run_as_user(pod: Pod) -> Iterator[Violation]:
    """No container is run as user 0."""
    for owner, found in () if pod.own_users else set_at(pod, "runAsUser"):
        if found.value == 0:
            yield f"{owner}: runAsUser is 0", found


def seccomp(pod: Pod) -> Iterator[Violation]:
    """The pod or each container names a seccomp profile, and none is unconfined."""
    if pod.windows:
        return
    for owner, profile in set_at(pod, "seccompProfile"):
        if profile.get("type").text not in PROFILES:
            yield f"{owner}: seccompProfile.type is {profile.get('type').text or 'not set'}", profile
    if pod.spec.get("securityContext", "seccompProfile").there:
        return
    for container in pod.all_containers:
        found = container.get("securityContext", "seccompProfile")
        if not found.there:
            yield f"{pod.called(container)}: seccompProfile is not set", found


RESTRICTED: tuple[Callable[[Pod], Iterator[Violation]], ...] = (
    privilege_escalation,
    capabilities,
    proc_mount,
    volumes,
    run_as_non_root,
    run_as_user,
    seccomp,
)
