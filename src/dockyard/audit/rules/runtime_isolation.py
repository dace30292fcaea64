"""RT-06: what the container shares with its host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dockyard.audit.facts.running import host, listed, mounts, option
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.audit.verdict import Proof
    from dockyard.settings import Settings

HOST_MODES = ("PidMode", "IpcMode", "NetworkMode", "UTSMode", "UsernsMode")
SENSITIVE = ("/boot", "/dev", "/etc", "/lib", "/proc", "/sys", "/usr", "/var/lib/docker", "/var/lib/containerd")
WHOLE = ("/", "/home", "/root", "/run", "/var", "/var/lib", "/var/run", "/opt", "/srv", "/tmp")  # noqa: S108 - compared
SOCKETS = ("docker.sock", "containerd.sock", "crio.sock", "podman.sock")


class Isolated(Rule):
    """The container shares nothing with its host that would give the host away.

    A privileged container, the engine's socket, the host's processes or its /etc are each a way to root on the host,
    whatever else is confined.

    Remedy: drop `--privileged`, `--pid=host`, `--ipc=host`, `--network=host`, `--uts=host`, `--userns=host`,
    `--device`, `--security-opt systempaths=unconfined`; mount only folders that are the service's own, never a socket
    of the engine, and without shared propagation.
    """

    id = "RT-06"
    title = "Isolation is not given away"
    severity = Severity.CRITICAL
    references = (
        "CIS 5.5", "CIS 5.6", "CIS 5.10", "CIS 5.16", "CIS 5.17", "CIS 5.18", "CIS 5.20", "CIS 5.21", "CIS 5.31",
        "CIS 5.32", "OWASP Docker 1", "PSS baseline", "ANSSI R1", "ANSSI R2", "ANSSI R6",
    )  # fmt: skip

    @part
    def namespaces(self, inspect: Mapping[str, Any]) -> Iterator[Proof]:
        """It is not privileged, and its namespaces are its own."""
        settings = host(inspect)
        privileged = settings.get("Privileged")
        prove = unknown if privileged is None else broken if privileged else holds
        yield prove(f"Privileged is {privileged}", option("Privileged"))
        for name in HOST_MODES:
            mode = str(settings.get(name) or "")
            shared = mode == "host" or mode.startswith("container:")
            if shared:
                yield broken(f"{name} is {mode}", option(name))
        masked = settings.get("MaskedPaths")
        if masked is not None and not listed(masked) and not privileged:
            yield broken("MaskedPaths is empty: /proc/kcore and others can be read", option("MaskedPaths"))

    @part
    def devices(self, inspect: Mapping[str, Any]) -> Iterator[Proof]:
        """No device of the host is in it."""
        settings = host(inspect)
        for name in ("Devices", "DeviceCgroupRules", "DeviceRequests"):
            given = listed(settings.get(name))
            if given:
                yield broken(f"{name} has {len(given)}: {str(given[0])[:80]}", option(name))
        yield holds("the list of devices was read", option("Devices"))

    @part
    def mounted(self, inspect: Mapping[str, Any]) -> Iterator[Proof]:
        """No mount leads to what is the host's own."""
        found = mounts(inspect)
        for each in found:
            problem = _mount_problem(each)
            if problem:
                yield broken(problem, Place(subject=f"docker inspect: Mounts, {each.get('Destination')}"))
        told = ", ".join(str(each.get("Destination")) for each in found)
        yield holds(f"{len(found)} mounts were read: {told}" if found else "nothing is mounted")

    @part
    def settings_file(self, settings: Settings) -> Iterator[Proof]:
        """The folder that production mounts is the service's own too."""
        folder = str((settings.root / settings.run.logs).resolve())
        prove = broken if _is_sensitive(folder) else holds
        yield prove(f"production mounts {settings.run.logs}", Place(subject="run.logs", file="pyproject.toml"))


def _mount_problem(mount: Mapping[str, Any]) -> str:
    """Say what is wrong with a mount; empty if nothing is."""
    source, kind = str(mount.get("Source") or ""), mount.get("Type")
    if source.endswith(SOCKETS):
        return f"the engine's socket {source} is mounted"
    if str(mount.get("Propagation") or "") in ("shared", "rshared"):
        return f"{source} is mounted with {mount['Propagation']} propagation"
    if kind == "bind" and _is_sensitive(source):
        return f"the host's {source} is mounted"
    return ""


def _is_sensitive(folder: str) -> bool:
    """Whether a folder of the host is the host's own, or holds what is."""
    inside = any(folder == each or folder.startswith(f"{each}/") for each in SENSITIVE)
    return inside or folder.rstrip("/") in {each.rstrip("/") for each in WHOLE}
