"""Evidence for the rules of confinement, resources and life: good, and bad in one respect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.audit.observed import Change, Process, Write
from dockyard.engines.sockets import Socket

from . import live

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[[], dict[str, object]]


def rt_01(**changed: object) -> dict[str, object]:
    good = {"inspect": live.inspect(), "smoke": live.smoke(), "written": live.written(), "writes": live.writes()}
    return good | changed


def rt_02(**changed: object) -> dict[str, object]:
    return {"inspect": live.inspect(), "confinement": live.confinement(), "smoke": live.smoke()} | changed


def rt_04(**changed: object) -> dict[str, object]:
    return {"inspect": live.inspect(), "load": live.load_of()} | changed


def rt_05(**changed: object) -> dict[str, object]:
    return {**rt_02(), **rt_04(), "settings": live.settings()} | changed


def rt_06(**changed: object) -> dict[str, object]:
    return {"inspect": live.inspect(), "settings": live.settings()} | changed


def rt_07(**changed: object) -> dict[str, object]:
    return {"inspect": live.inspect(), "settings": live.settings(), "sockets": live.sockets()} | changed


PASSING: dict[str, Make] = {
    "RT-01": rt_01,
    "RT-02": rt_02,
    "RT-03": rt_02,
    "RT-04": rt_04,
    "RT-05": rt_05,
    "RT-06": rt_06,
    "RT-07": rt_07,
    "RT-08": lambda: {"stop": live.stop()},
    "RT-09": lambda: {"zombies": live.zombies()},
}
FAILING: dict[str, list[tuple[str, Make]]] = {
    "RT-01": [
        ("ReadonlyRootfs is False", lambda: rt_01(inspect=live.inspect(ReadonlyRootfs=False))),
        ("it does not work so: readiness", lambda: rt_01(smoke=live.smoke("fail", "503: no model"))),
        ("/app/cache was added", lambda: rt_01(written=live.written(Change(kind="added", path="/app/cache")))),
        # The folder of a mount is the engine's business, one whose name only begins like it is not.
        ("/app/logs2 was added", lambda: rt_01(written=live.written(Change(kind="added", path="/app/logs2")))),
        ("can write /app/app.py", lambda: rt_01(writes=live.writes(Write(path="/app/app.py", error="")))),
        (
            "can not write /tmp",
            lambda: rt_01(writes=live.writes(Write(path="/tmp", error="Permission denied", allowed=True))),
        ),
    ],
    "RT-02": [
        ("CapDrop is nothing", lambda: rt_02(inspect=live.inspect(CapDrop=None))),
        ("CapAdd is NET_RAW", lambda: rt_02(inspect=live.inspect(CapAdd=["NET_RAW"]))),
        ("CapBnd is 00000000a80425fb", lambda: rt_02(confinement=live.confinement(CapBnd="00000000a80425fb"))),
        ("CapAmb is 1", lambda: rt_02(confinement=live.confinement(CapAmb="1"))),
        ("it does not work so: readiness", lambda: rt_02(smoke=live.smoke("fail"))),
    ],
    "RT-03": [
        ("seccomp=unconfined", lambda: rt_02(inspect=live.inspect(SecurityOpt=["seccomp=unconfined"]))),
        ("label=disable", lambda: rt_02(inspect=live.inspect(SecurityOpt=["label=disable"]))),
        ("NoNewPrivs is 0", lambda: rt_02(confinement=live.confinement(NoNewPrivs="0"))),
        ("Seccomp is 0", lambda: rt_02(confinement=live.confinement(Seccomp="0"))),
        ("AppArmor profile is unconfined", lambda: rt_02(confinement=live.confinement(AppArmor="unconfined"))),
        ("it does not work so: readiness", lambda: rt_02(smoke=live.smoke("fail"))),
    ],
    "RT-04": [
        ("Memory is 0", lambda: rt_04(inspect=live.inspect(Memory=0, MemorySwap=0))),
        ("swap is added to the limit: without limit", lambda: rt_04(inspect=live.inspect(MemorySwap=-1))),
        ("swap is added to the limit: 512 MiB", lambda: rt_04(inspect=live.inspect(MemorySwap=1 << 30))),
        ("OomKillDisable", lambda: rt_04(inspect=live.inspect(OomKillDisable=True))),
        ("killed for memory", lambda: rt_04(load=live.load_of(oom_killed=True))),
        ("peak of 420 MiB is 82% of 512 MiB", lambda: rt_04(load=live.load_of(peak=420 << 20))),
        ("3 of 900 requests under load failed", lambda: rt_04(load=live.load_of(failures=3))),
        ("after the load it is unhealthy", lambda: rt_04(load=live.load_of(health="unhealthy"))),
    ],
    "RT-05": [
        ("PidsLimit is 0", lambda: rt_05(inspect=live.inspect(PidsLimit=None))),
        ("CPU limit is 0", lambda: rt_05(inspect=live.inspect(NanoCpus=0, CpuQuota=-1))),
        ("Max open files is unlimited", lambda: rt_05(confinement=live.confinement(**{"Max open files": "unlimited"}))),
        (
            "Max open files is 1073741816",
            lambda: rt_05(confinement=live.confinement(**{"Max open files": "1073741816"})),
        ),
        ("restart policy of production is always", lambda: rt_05(settings=live.settings(restart="always"))),
        ("restart policy of production is on-failure", lambda: rt_05(settings=live.settings(restart="on-failure"))),
        ("restart policy is always", lambda: rt_05(inspect=live.inspect(RestartPolicy={"Name": "always"}))),
        ("120 processes and threads", lambda: rt_05(load=live.load_of(pids=120))),
        ("it does not work so: readiness", lambda: rt_05(smoke=live.smoke("fail"))),
    ],
    "RT-06": [
        ("Privileged is True", lambda: rt_06(inspect=live.inspect(Privileged=True))),
        ("PidMode is host", lambda: rt_06(inspect=live.inspect(PidMode="host"))),
        ("NetworkMode is host", lambda: rt_06(inspect=live.inspect(NetworkMode="host"))),
        ("IpcMode is container:other", lambda: rt_06(inspect=live.inspect(IpcMode="container:other"))),
        ("MaskedPaths is empty", lambda: rt_06(inspect=live.inspect(MaskedPaths=[]))),
        ("Devices has 1", lambda: rt_06(inspect=live.inspect(Devices=[{"PathOnHost": "/dev/sda"}]))),
        ("engine's socket", lambda: rt_06(inspect=live.mounting(Source="/var/run/docker.sock"))),
        ("the host's /etc/ssl", lambda: rt_06(inspect=live.mounting(Source="/etc/ssl"))),
        ("the host's / is mounted", lambda: rt_06(inspect=live.mounting(Source="/"))),
        ("rshared propagation", lambda: rt_06(inspect=live.mounting(Source="/srv/a", Propagation="rshared"))),
        ("production mounts /etc", lambda: rt_06(settings=live.settings(logs="/etc"))),
    ],
    "RT-07": [
        (
            "published on every address",
            lambda: rt_07(inspect=live.inspect(PortBindings={"8000/tcp": [{"HostIp": "", "HostPort": "8000"}]})),
        ),
        (
            "privileged port 80",
            lambda: rt_07(inspect=live.inspect(PortBindings={"8000/tcp": [{"HostIp": "::1", "HostPort": "80"}]})),
        ),
        ("every exposed port", lambda: rt_07(inspect=live.inspect(PublishAllPorts=True))),
        ("production is published on every address", lambda: rt_07(settings=live.settings(address="0.0.0.0"))),
        ("privileged port 443", lambda: rt_07(settings=live.settings(port=443))),
        ("NetworkMode is bridge", lambda: rt_07(inspect=live.inspect(NetworkMode="bridge"))),
        ("0.0.0.0:9999 is listened on", lambda: rt_07(sockets=live.sockets(Socket(address="0.0.0.0", port=9999)))),
    ],
    "RT-08": [
        ("exit code 137", lambda: {"stop": live.stop(exit_code=137, seconds=10.2)}),
        ("it ended after 10.4 s", lambda: {"stop": live.stop(seconds=10.4)}),
        ("ConnectionResetError", lambda: {"stop": live.stop(answer=live.exchange("POST", 0, "ConnectionResetError"))}),
    ],
    "RT-09": [
        (
            "1 zombies after 20 health checks",
            lambda: {"zombies": live.zombies(Process(pid=9, uid=1000, state="Z", command="[python] <defunct>"))},
        ),
    ],
}
