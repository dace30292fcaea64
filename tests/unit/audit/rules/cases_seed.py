"""Evidence that passes and that fails the rules SEED-01, 03, 04, 06, 07, 10, 11, 12 and 13."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dockyard.audit.observed import Process
from dockyard.audit.read import Sources
from dockyard.audit.trials import Volume
from dockyard.smoke import Result

from .samples import (
    CHECK,
    CONFIG,
    CONTRACT,
    PACKAGES,
    PASSWD,
    File,
    dockerfile,
    evidence,
    folder,
    health,
    image,
    inspected,
    keys,
    link,
    program,
    ran,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[[], dict[str, object]]

CHECK_PATH = "/app/service/check.py"
HEALTH = CONFIG["Healthcheck"]
ENV = CONFIG["Env"]
MAKES_LOGS = "RUN install --directory --owner=1000 --group=1000 /app/logs"


def with_image(*args: object, **kwargs: object) -> Make:
    """Evidence with another image."""
    return lambda: evidence(image=image(*args, **kwargs))


def with_config(**keys: object) -> Make:
    """Evidence with other keys of the configuration."""
    return with_image(None, keys)


def with_check(old: str, new: str) -> Make:
    """Evidence with a health check that is written otherwise."""
    assert old in CHECK
    return with_image({CHECK_PATH: File(CHECK.replace(old, new))})


def with_health(**keys: object) -> Make:
    """Evidence with other times of the health check."""
    return with_config(Healthcheck={**HEALTH, **keys})


def with_dockerfile(old: str, new: str) -> Make:
    """Evidence with another Dockerfile."""
    return lambda: evidence(dockerfile=dockerfile(old, new))


def with_contract(old: str, new: str) -> Make:
    """Evidence with another settings class."""
    assert old in CONTRACT
    files = {"settings.py": CONTRACT.replace(old, new)}
    return lambda: evidence(sources=Sources(folder="src/service", files=files))


def packaged(name: str) -> Make:
    """Evidence with one more package."""
    listed = f"{PACKAGES}Package: {name}\nStatus: install ok installed\n"
    return with_image({"/var/lib/dpkg/status": File(listed)})


FAILING: dict[str, list[tuple[str, Make]]] = {
    "SEED-01": [
        ("`appuser`: a name", with_dockerfile("USER 1000:1000", "USER appuser")),
        ("`0`: root", with_dockerfile("USER 1000:1000", "USER 0")),
        ("its group is root", with_dockerfile("USER 1000:1000", "USER 1000:0")),
        ("has no USER", with_dockerfile("USER 1000:1000\n", "")),
        ("`appuser:appuser`: a name", with_config(User="appuser:appuser")),
        ("root", with_config(User="0:0")),
        ("root", with_config(User="root:x")),
        ("root", with_config(User=None)),
        ("its group is root", with_config(User="1000:0")),
        ("2000", with_config(User="2000:1000")),
        ("a login shell", with_image({"/etc/passwd": File(PASSWD.replace("/usr/sbin/nologin", "/bin/sh"))})),
        ("no row for uid 1000", with_image({"/etc/passwd": File("root:x:0:0::/root:/bin/sh\n")})),
        (
            "Process 7, `sleep`, has uid 0",
            partial(evidence, processes=(Process(pid=7, uid=0, state="S", command="sleep"),)),
        ),
    ],
    "SEED-03": [
        ("/usr/bin/curl is curl", with_image({"/usr/bin/curl": program()})),
        ("is curl", with_image({"/opt/tools/bin/fetch": link("/opt/real/curl"), "/opt/real/curl": program()})),
        ("is nc", with_image({"/usr/bin/nc": link("/etc/alternatives/nc"), "/etc/alternatives/nc": program()})),
        ("is busybox", with_image({"/usr/bin/wget2": None, "/usr/bin/busybox": program()})),
        ("package openssh-client", packaged("openssh-client")),
        ("package socat", with_image({"/lib/apk/db/installed": File("P:musl\nV:1\n\nP:socat\nV:1\n")})),
    ],
    "SEED-04": [
        ("exec form is wanted", with_health(Test=["CMD-SHELL", "python -m service.check"])),
        ("is not set; exec form", with_config(Healthcheck=None)),
        (
            "starts the shell",
            with_image({"/app/c.sh": File(CHECK)}, {"Healthcheck": {**HEALTH, "Test": ["CMD", "sh"]}}),
        ),
        ("program python4 is not in", with_health(Test=["CMD", "python4", "-c", CHECK])),
        ("may not run it", with_image({"/usr/local/bin/python3.12": program(mode=0o744)})),
        ("none of http.client", with_check("import http.client, os, sys", "import requests as http, os, sys")),
        ("does not look at the answer's status", with_check(".status != 200", ".read() is None")),
        ("passes no timeout", with_check(", timeout=float(3)", "")),
        ("not below Docker's 5 s", with_check("timeout=float(3)", "timeout=5")),
        ("not below Docker's 5 s", with_check("timeout=float(3)", "timeout=None")),
        ("starts other programs", with_check("import http.client, os", "import http.client, subprocess, os")),
        ("It exits with 2", with_check("sys.exit(c", "sys.exit(2) if 0 else sys.exit(c")),
        ("service up it exits 1", partial(evidence, health_check=health(up=ran(1)))),
        ("service down it exits 2", partial(evidence, health_check=health(down=ran(2)))),
        ("service hung it exits 0", partial(evidence, health_check=health(hung=ran(0)))),
        ("Docker kills it after 5 s", partial(evidence, health_check=health(hung=ran(1, seconds=6)))),
    ],
    "SEED-06": [
        ("runs the installer pip", with_dockerfile("RUN install ", "RUN pip install requests && install ")),
        (
            "runs the installer pip",
            with_dockerfile("RUN install ", "RUN A=1 sh -c 'python -m pip install x'; install "),
        ),
        ("runs the installer apt-get", with_dockerfile(MAKES_LOGS, 'RUN ["apt-get", "install", "x"]')),
        ("runs the installer apk", with_dockerfile(MAKES_LOGS, "RUN <<EOF\nset -e\napk add x\nEOF")),
        ("everything", with_dockerfile("COPY --from=builder /opt/venv /opt/venv", "COPY --from=builder / /")),
        ("takes no files", with_dockerfile("COPY --from=builder /opt/venv", "COPY venv")),
        ("history ends with", with_image(history=())),
    ],
    "SEED-07": [
        ("is x86_64-linux-gnu-gcc-12", with_image({"/usr/bin/x86_64-linux-gnu-gcc-12": program()})),
        ("is make", with_image({"/opt/x/bin/make": program()})),
        ("package gcc-12", packaged("gcc-12")),
        ("package libssl-dev", packaged("libssl-dev")),
        ("poetry_core-1.9.dist-info is Poetry's", with_image({"/srv/x/poetry_core-1.9.dist-info/METADATA": File()})),
    ],
    "SEED-10": [
        ("/app/logs is wanted", with_config(Volumes=None)),
        ("is no folder", with_image({"/app/logs": None})),
        ("cannot use it as its own", with_image({"/app/logs": folder(0o755, 0)})),
        ("everybody may write", with_image({"/app/logs": folder(0o777, 1000)})),
        ("No VOLUME", with_dockerfile('VOLUME ["/app/logs"]\n', "")),
        ("Written to /app/logs after VOLUME", with_dockerfile("EXPOSE", "RUN touch /app/logs/x\nEXPOSE")),
        ("Written to /app/logs after VOLUME", with_dockerfile("EXPOSE", "COPY x /app/logs/\nEXPOSE")),
        (
            "bind mount, 0:0 755: Permission denied",
            partial(evidence, volumes=(Volume(kind="bind", owner="0:0", mode="755", error="Permission denied"),)),
        ),
    ],
    "SEED-11": [
        ("reads HEALTH_TIMEOUT", with_config(Env=[each for each in ENV if not each.startswith("HEALTH")])),
        ("reads MODEL", with_contract("    port: int", "    model: str\n    port: int")),
        ("lists DEBUG_MODE", with_config(Env=[*ENV, "DEBUG_MODE=1"])),
        ("API_KEY is a secret", with_config(Env=[*ENV, "API_KEY="])),
        ("PORT is a URL with credentials", with_config(Env=[*ENV[:-1], "PORT=https://me:s3cr3t-pw@host/x"])),
    ],
    "SEED-12": [
        ("no health check", with_config(Healthcheck={"Test": ["NONE"]})),
        ("longer than the interval", with_health(Timeout=11_000_000_000)),
        ("Retries is 1", with_health(Retries=1)),
        ("No start period", with_health(StartPeriod=0)),
        ("Healthy after 31.0 s; the start period", partial(evidence, health_check=health(healthy_after=31.0))),
        (
            "`wait` of the settings is 60 s",
            partial(evidence, health_check=health(healthy_after=61.0, start_period=90.0)),
        ),
    ],
    "SEED-13": [
        ("8000/tcp alone is wanted", with_config(ExposedPorts={"8000/tcp": {}, "22/tcp": {}})),
        ("8000/tcp alone is wanted", with_config(ExposedPorts=None)),
        ("Nothing is mounted at /app/logs", partial(evidence, inspect=inspected(Mounts=None))),
        (
            "read-only",
            partial(evidence, inspect=inspected(Mounts=[{"Type": "bind", "Destination": "/app/logs", "RW": False}])),
        ),
        (
            "every interface",
            partial(evidence, inspect=inspected(HostConfig={"PortBindings": {"8000/tcp": [{"HostIp": ""}]}})),
        ),
        ("No port is published", partial(evidence, inspect=inspected(HostConfig={"PortBindings": None}))),
        ("exits 0", partial(evidence, keys=keys(ran(0, "no key")))),
        ("exits 124", partial(evidence, keys=keys(ran(124, "waiting for a key")))),
        ("one line that names the key", partial(evidence, keys=keys(ran(1, "Traceback: no key")))),
        ("one line that names the key", partial(evidence, keys=keys(ran(1, "Segmentation fault")))),
        ("health: 503", partial(evidence, smoke=(Result(probe="health", verdict="fail", evidence="503"),))),
    ],
}
PASSING: dict[str, Make] = dict.fromkeys(FAILING, evidence)
