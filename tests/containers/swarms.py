"""What tests of a real swarm need: swarm mode for their time alone, a prober inside a network, a second node."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from dockyard.engines import process
from dockyard.engines.swarm import Swarm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockyard.engines import Engine

T = TypeVar("T")

DEADLINE = 60
# Swarm makes it for containers that are to reach other networks, and leaves it behind.
GATEWAY = "docker_gwbridge"

# Asks for the addresses of a name and takes the first that answers, as clients do; says how each round went.
PROBER = """
import http.client, json, random, socket, sys, time
name, deadline = sys.argv[1], time.monotonic() + 200
while time.monotonic() < deadline:
    began, by, why = time.time(), "", []
    try:
        found = {each[4][0] for each in socket.getaddrinfo(name, 8000, type=socket.SOCK_STREAM)}
    except OSError as error:
        found, why = set(), [str(error)]
    for address in random.sample(sorted(found), len(found)):
        connection = http.client.HTTPConnection(address, 8000, timeout=2)
        try:
            connection.request("GET", "/ready")
            status = connection.getresponse().status
            by, why = (address, why) if status == 200 else ("", [*why, f"{address}: {status}"])
        except OSError as error:
            why.append(f"{address}: {error}")
        finally:
            connection.close()
        if by:
            break
    print(json.dumps({"at": began, "by": by, "why": why}), flush=True)
    time.sleep(0.05)
"""


def docker(*words: str, host: str = "") -> str:
    """Run docker and return what it printed."""
    command = ["docker", *(["--host", host] if host else []), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout.strip()


def until(found: Callable[[], T], what: str) -> T:
    """Return what is found as soon as it is something."""
    deadline = time.monotonic() + DEADLINE
    while not (value := found()):
        assert time.monotonic() < deadline, f"{what} was not to be seen within {DEADLINE} s"
        time.sleep(0.2)
    return value


@contextmanager
def swarm_mode(engine: Engine, address: str = "127.0.0.1", *options: str) -> Iterator[Swarm]:
    """Put the engine in swarm mode, and leave it as it was found; an engine that is in a swarm is left alone."""
    swarm = Swarm(daemon=engine.daemon)
    if swarm.state().state != "inactive":
        pytest.skip("this engine is in a swarm already, which is not the tests' to use")
    gateway = GATEWAY in docker("network", "ls", "--format", "{{.Name}}").split()
    docker("swarm", "init", "--advertise-addr", address, *options)
    try:
        yield swarm
    finally:
        docker("swarm", "leave", "--force")
        if not gateway and GATEWAY in docker("network", "ls", "--format", "{{.Name}}").split():
            docker("network", "rm", GATEWAY)


@dataclass(frozen=True)
class Round:
    """One question to the service: when, who answered, and if nobody did, why."""

    at: float
    by: str
    why: list[str]


class Prober:
    """A container inside a network that asks a service all the time."""

    def __init__(self, image: str, network: str, name: str, label: str) -> None:
        command = ["run", "--detach", "--no-healthcheck", "--network", network, "--label", label]
        self._id = docker(*command, image, "python3", "-c", PROBER, name)

    def rounds(self) -> list[Round]:
        """All questions so far."""
        return [Round(**json.loads(line)) for line in docker("logs", self._id).splitlines()]

    def until_answered(self, addresses: int = 1) -> None:
        """Wait until so many different tasks have answered from now on."""
        now = time.time()
        until(
            lambda: len({each.by for each in self.rounds() if each.by and each.at > now}) >= addresses,
            f"an answer of {addresses} tasks",
        )

    def stop(self) -> list[Round]:
        """Return all questions, and ask no more."""
        docker("kill", self._id)
        asked = self.rounds()
        docker("rm", self._id)
        return asked


class SecondNode:
    """A second engine in a network namespace of its own, joined to ours by a pair of interfaces.

    Attributes:
        host: Where its engine answers.
        near: Our address on the way to it.
    """

    def __init__(self) -> None:
        token = secrets.token_hex(3)
        self._namespace, self._cable = f"dy-{token}", f"dy{token}"
        # A block that is set aside for tests of networks.
        octets = f"198.18.{int(token[:2], 16)}"
        block = int(token[2:4], 16) & 0xFC
        self.near, self.far = f"{octets}.{block + 1}", f"{octets}.{block + 2}"
        self._folder = Path(tempfile.mkdtemp(prefix="dy-", dir="/tmp"))  # a socket's path may have 108 characters only
        self.host = f"unix://{self._folder}/s"
        self._pid = 0

    def start(self) -> None:
        """Lay the cable, then start the engine at its far end."""
        far = f"{self._cable}b"
        inside = ["ip", "-n", self._namespace]
        for command in (
            ["ip", "netns", "add", self._namespace],
            ["ip", "link", "add", self._cable, "type", "veth", "peer", "name", far],
            ["ip", "link", "set", far, "netns", self._namespace],
            ["ip", "addr", "add", f"{self.near}/30", "dev", self._cable],
            ["ip", "link", "set", self._cable, "up"],
            [*inside, "addr", "add", f"{self.far}/30", "dev", far],
            [*inside, "link", "set", far, "up"],
            [*inside, "link", "set", "lo", "up"],
            [*inside, "route", "add", "default", "via", self.near],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"there can be no second node here: `{' '.join(command)}`: {done.stderr.strip()}")
        config = self._folder / "daemon.json"
        config.write_text('{"features": {"containerd-snapshotter": true}}', "utf-8")
        options = {"data-root": "data", "exec-root": "exec", "pidfile": "pid", "config-file": "daemon.json"}
        # Not `ip netns exec`, which hides the control groups.
        command = ["nsenter", f"--net=/var/run/netns/{self._namespace}", "dockerd", "--host", self.host]
        command += [part for name, place in options.items() for part in (f"--{name}", str(self._folder / place))]
        command += ["--containerd-namespace", self._namespace, "--containerd-plugins-namespace", f"{self._namespace}p"]
        self._pid = process.start_detached(command, log=self._folder / "log")
        info = ["docker", "--host", self.host, "info"]
        until(lambda: not subprocess.run(info, capture_output=True, check=False).returncode, "the second engine")

    def load(self, image: str) -> None:
        """Give it an image of ours."""
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
            load = ["docker", "--host", self.host, "load"]
            subprocess.run(load, stdin=saved.stdout, check=True, capture_output=True)

    def join(self) -> None:
        """Make it a worker of our swarm."""
        token = docker("swarm", "join-token", "--quiet", "worker")
        docker("swarm", "join", "--token", token, f"{self.near}:2377", host=self.host)

    def cut_off(self) -> None:
        """Pull the cable out."""
        subprocess.run(["ip", "link", "set", self._cable, "down"], check=True)

    def remove(self) -> None:
        """End the engine and what it runs, and take the cable and the namespace away."""
        if self._pid:
            leave = ["docker", "--host", self.host, "swarm", "leave", "--force"]
            subprocess.run(leave, capture_output=True, check=False, timeout=DEADLINE)
            for each in docker("ps", "--all", "--quiet", host=self.host).split():
                docker("rm", "--force", each, host=self.host)
            os.kill(self._pid, signal.SIGTERM)
            until(lambda: not process.running(self._pid), "the second engine's end")
        # An engine leaves the namespaces of its overlay networks mounted.
        mounted = [line.split()[1] for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
        for place in sorted((each for each in mounted if each.startswith(f"{self._folder}/")), reverse=True):
            subprocess.run(["umount", "--lazy", place], check=True)
        for command in (["ip", "link", "del", self._cable], ["ip", "netns", "del", self._namespace]):
            subprocess.run(command, capture_output=True, check=False)
        shutil.rmtree(self._folder)
