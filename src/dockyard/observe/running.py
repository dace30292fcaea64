"""The settings of a container in one form: as the engine's inspect answer has them, and as a plan asks for them."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dockyard.plan import SECRETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dockyard.engines.facts import ImageFacts
    from dockyard.plan import RunPlan

UNITS = {"k": 2**10, "m": 2**20, "g": 2**30}
BILLION = 10**9
KEY_VOLUME = "a volume with the key, ro"
ANONYMOUS = re.compile(r"[0-9a-f]{64}")
TRUE = re.compile(r"[:=]true$")
# Where engines in a virtual machine see the host's folders.
SHARED = re.compile(r"^/(host_mnt|run/desktop/mnt/host)(?=/)")


@dataclass(frozen=True, kw_only=True)
class Running:
    """What a container was started with.

    Attributes:
        image: Id.
        came_with: That image; None where it is gone.
        values: By what they are, as people read them; empty where there is none.
        env: All its variables, those of the image too.
        mounts: Target to source and mode.
        log: Options of its log.
    """

    image: str
    came_with: ImageFacts | None
    values: Mapping[str, str]
    env: Mapping[str, str]
    mounts: Mapping[str, str]
    log: Mapping[str, str]


def planned(plan: RunPlan, image: ImageFacts | None) -> Running:
    """Return what a plan asks for; what it leaves to an image is as in `image`."""
    asked = plan.options()
    memory, swap = (_bytes(asked[name]) for name in ("memory", "memory_swap"))
    binding, port = asked["publish"][0]
    values = {
        "port": f"{binding.rpartition(':')[0]}:{plan.port} to {port}/tcp",
        "network": _listed(asked["networks"]),
        "user": asked["user"],
        "memory": _size(memory),
        "swap": _swap(memory, swap),
        "cpus": f"{round(asked['cpus'] * BILLION) / BILLION:g}",
        "pids": str(asked["pids_limit"]),
        "restart": asked["restart"],
        "stop timeout": f"{asked['stop_timeout']} s",
        "read-only": _yes(asked["read_only"]),
        "privileged": _yes(False),
        "dropped capabilities": _listed(asked["cap_drop"]),
        "added capabilities": "",
        "security options": _listed(asked["security_options"]),
        "tmpfs": _listed(_tmpfs(*each.split(":", 1)) for each in asked["tmpfs"]),
        "command": " ".join(plan.command or (image.command if image else ())),
        "log driver": asked["log_driver"],
    }
    binds = ((str(folder), *target.rsplit(":", 1)) for folder, target in plan.binds.items())
    mounts = {target: f"{posixpath.normpath(folder)}, {mode}" for folder, target, mode in binds}
    return Running(
        image=image.id if image else "",
        came_with=image,
        values=values,
        env=plan.env,
        mounts={SECRETS: KEY_VOLUME, **mounts},
        log=dict(each.split("=", 1) for each in plan.log_options),
    )


def read_running(told: Mapping[str, Any], image: ImageFacts | None) -> Running:
    """Read an answer of the container inspect API.

    Args:
        told: The answer.
        image: The image that the container runs; None where it is gone.
    """
    host, config = told["HostConfig"], told["Config"]
    policy = host.get("RestartPolicy") or {}
    retries = policy.get("MaximumRetryCount") or 0
    memory = host.get("Memory") or 0
    values = {
        "port": _listed(_ports(host.get("PortBindings") or {})),
        "network": _listed((told["NetworkSettings"].get("Networks") or {}).keys()),
        "user": config.get("User") or "",
        "memory": _size(memory),
        "swap": _swap(memory, host.get("MemorySwap") or 0),
        "cpus": f"{(host.get('NanoCpus') or 0) / BILLION:g}",
        "pids": str(max(host.get("PidsLimit") or 0, 0)),
        "restart": f"{policy.get('Name') or 'no'}{f':{retries}' if retries else ''}",
        "stop timeout": f"{config['StopTimeout']} s" if config.get("StopTimeout") is not None else "",
        "read-only": _yes(host.get("ReadonlyRootfs")),
        "privileged": _yes(host.get("Privileged")),
        "dropped capabilities": _listed(host.get("CapDrop")),
        "added capabilities": _listed(host.get("CapAdd")),
        "security options": _listed(TRUE.sub("", each) for each in host.get("SecurityOpt") or ()),
        "tmpfs": _listed(_tmpfs(target, options) for target, options in (host.get("Tmpfs") or {}).items()),
        "command": " ".join(config.get("Cmd") or ()),
        "log driver": (host.get("LogConfig") or {}).get("Type") or "",
    }
    return Running(
        image=told["Image"],
        came_with=image,
        values=values,
        env=variables(config.get("Env") or ()),
        mounts=dict(_mount(each) for each in told.get("Mounts") or () if not _of_image(each)),
        log=(host.get("LogConfig") or {}).get("Config") or {},
    )


def _ports(bindings: Mapping[str, Any]) -> Iterable[str]:
    """Yield each published port as `127.0.0.1:8000 to 8000/tcp`; 0 is any free one."""
    for port, hosts in bindings.items():
        for each in hosts or ():
            address = each.get("HostIp") or "0.0.0.0"  # noqa: S104 - compared
            address = f"[{address}]" if ":" in address else address
            yield f"{address}:{each.get('HostPort') or 0} to {port}"


def _mount(told: Mapping[str, Any]) -> tuple[str, str]:
    target, mode = told["Destination"], "rw" if told.get("RW") else "ro"
    if told.get("Type") == "volume":
        own = target == SECRETS and mode == "ro"
        return target, KEY_VOLUME if own else f"volume {told.get('Name', '')}, {mode}"
    return target, f"{posixpath.normpath(SHARED.sub('', told.get('Source', '')))}, {mode}"


def _of_image(told: Mapping[str, Any]) -> bool:
    """Whether a mount is a volume without a name, as a VOLUME of the image makes one for each container."""
    return told.get("Type") == "volume" and ANONYMOUS.fullmatch(told.get("Name", "")) is not None


def variables(env: Iterable[str]) -> dict[str, str]:
    """Return `NAME=value` as a table."""
    return {name: value for name, _, value in (each.partition("=") for each in env)}


def _tmpfs(target: str, options: str = "") -> str:
    return f"{target} ({','.join(sorted(options.split(',')))})"


def _bytes(size: str) -> int:
    return int(size[:-1]) * UNITS[size[-1]]


def _size(count: int) -> str:
    """Return a limit as people write it."""
    if count <= 0:
        return "unlimited"
    unit = next((unit for unit in reversed(UNITS) if count % UNITS[unit] == 0), "")
    return f"{count // UNITS[unit] if unit else count}{unit}"


def _swap(memory: int, both: int) -> str:
    """Return the limit of swap, which the engine counts together with memory; 0 gives as much again."""
    if memory <= 0 or both < 0:
        return "unlimited"
    return "" if both == memory else _size(both - memory if both else memory)


def _listed(values: Iterable[str] | None) -> str:
    return ", ".join(sorted(values or ()))


def _yes(value: object) -> str:
    return "yes" if value else "no"
