"""Pod Security `baseline`, as `kubernetes/pod-security-admission` checks it in its newest version.

Checks that a stricter one of `restricted` replaces (capabilities, hostPath, seccomp, procMount) are in that module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockyard.audit.facts.kubernetes_pods import Pod
    from dockyard.audit.facts.yaml_files import Node

Violation = tuple[str, "Node"]

APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
PROFILES = ("RuntimeDefault", "Localhost")
SELINUX = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
HOOKS = ("postStart", "preStop")
SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_notsent_lowat",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_slow_start_after_idle",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)


def set_at(pod: Pod, *names: str) -> Iterator[tuple[str, Node]]:
    """Yield a field of the security context wherever it is given: of the pod, and of every container."""
    for owner, at in [(pod.name, pod.spec), *((pod.called(each), each) for each in pod.all_containers)]:
        found = at.get("securityContext", *names)
        if found.there:
            yield owner, found


def app_armor(pod: Pod) -> Iterator[Violation]:
    """No AppArmor profile but the runtime's own or a local one."""
    for owner, profile in set_at(pod, "appArmorProfile"):
        kind = profile.get("type")
        if kind.text not in PROFILES:
            yield f"{owner}: appArmorProfile.type is {kind.text or 'not set'}", profile
    for name, value in pod.metadata.get("annotations").fields():
        allowed = value.text in ("", "runtime/default") or value.text.startswith("localhost/")
        if name.startswith(APPARMOR) and not allowed:
            yield f"{pod.name}: annotation {name} is {value.text}", value


def host_namespaces(pod: Pod) -> Iterator[Violation]:
    """None of the host's network, processes and shared memory."""
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        found = pod.spec.get(name)
        if found.there and found.value is not False:
            yield f"{pod.name}: {name} is {found.text}", found


def host_ports(pod: Pod) -> Iterator[Violation]:
    """No port of the host."""
    for container in pod.all_containers:
        for port in container.get("ports").each():
            found = port.get("hostPort")
            if found.there and found.text != "0":
                yield f"{pod.called(container)}: hostPort {found.text}", found


def host_probes(pod: Pod) -> Iterator[Violation]:
    """No probe and no hook that asks another host."""
    ways = [(probe,) for probe in PROBES] + [("lifecycle", hook) for hook in HOOKS]
    for container in pod.all_containers:
        for way in ways:
            for handler in ("httpGet", "tcpSocket"):
                found = container.get(*way, handler, "host")
                if found.text:
                    yield f"{pod.called(container)}: {'.'.join(way)}.{handler}.host is {found.text}", found


def privileged(pod: Pod) -> Iterator[Violation]:
    """No privileged container."""
    for container in pod.all_containers:
        found = container.get("securityContext", "privileged")
        if found.there and found.value is not False:
            yield f"{pod.called(container)}: privileged is {found.text}", found


def se_linux(pod: Pod) -> Iterator[Violation]:
    """No SELinux type beyond the containers' own; no user, no role."""
    for owner, options in set_at(pod, "seLinuxOptions"):
        kind = options.get("type")
        if kind.text not in SELINUX:
            yield f"{owner}: seLinuxOptions.type is {kind.text}", kind
        for name in ("user", "role"):
            found = options.get(name)
            if found.text:
                yield f"{owner}: seLinuxOptions.{name} is set", found


def sysctls(pod: Pod) -> Iterator[Violation]:
    """No kernel setting that reaches beyond the pod."""
    for each in pod.spec.get("securityContext", "sysctls").each():
        name = each.get("name")
        if name.text not in SYSCTLS:
            yield f"{pod.name}: sysctl {name.text or '?'} is set", name


def windows_host_process(pod: Pod) -> Iterator[Violation]:
    """No process of a Windows host."""
    for owner, found in set_at(pod, "windowsOptions", "hostProcess"):
        if found.value is not False:
            yield f"{owner}: windowsOptions.hostProcess is {found.text}", found


BASELINE: tuple[Callable[[Pod], Iterator[Violation]], ...] = (
    app_armor,
    host_namespaces,
    host_ports,
    host_probes,
    privileged,
    se_linux,
    sysctls,
    windows_host_process,
)
