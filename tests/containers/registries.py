"""A real registry on this machine: Debian's, with and without TLS and a password; and a way to it that can be cut."""

from __future__ import annotations

import ctypes
import json
import os
import re
import secrets
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from swarms import until

from dockyard.engines import process
from dockyard.errors import EngineError
from dockyard.machine.packages import Apt, privilege

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LISTENS = re.compile(r"listening on ([\d.]+:\d+)")
CERTIFICATES = Path("/etc/docker/certs.d")
USER = "robot"
DONE = b" 201 Created"
SLICE = 16 << 10


def program(package: str, name: str, folder: Path) -> Path:
    """Return a program of PATH, or of a Debian package that is unpacked but not installed: nothing is started by it."""
    found = process.find(name)
    if found:
        return Path(found)
    download = ["apt-get", "download", "-qq", package]
    done = subprocess.run(download, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        with suppress(EngineError):
            Apt.of_this_machine().update()
        done = subprocess.run(download, cwd=folder, capture_output=True, text=True, check=False)
    archives = list(folder.glob(f"{package}_*.deb"))
    if not archives:
        give_up = pytest.fail if os.environ.get("DOCKYARD_REQUIRE_ALL") == "1" else pytest.skip
        give_up(f"not run: {package} cannot be had: {done.stderr.strip()}")
    subprocess.run(["dpkg-deb", "-x", archives[0], folder / package], check=True)
    return folder / package / "usr" / "bin" / name


def hashed(password: str) -> str:
    """Return a password as htpasswd would, by the system's own library."""
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    return str(library.crypt(password.encode(), b"$2y$05$" + secrets.token_hex(11).encode()).decode())


def openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *words], capture_output=True, check=True)


def certificates(folder: Path, address: str) -> None:
    """Make a CA, and a certificate of it for an address: ca.crt, server.crt, server.key."""
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    openssl("req", "-x509", *key, "-subj", "/CN=CA", "-keyout", folder / "ca.key", "-out", folder / "ca.crt")
    request = folder / "server.csr"
    openssl("req", *key[:-2], "-subj", "/CN=registry", "-keyout", folder / "server.key", "-out", request)
    extra = folder / "extra"
    extra.write_text(f"subjectAltName=IP:{address}\n")
    by = ("-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-days", "2", "-extfile", extra)
    openssl("x509", "-req", "-in", request, *by, "-out", folder / "server.crt")


class Registry:
    """A registry with a store of its own.

    Args:
        server: Its program.
        folder: For all it keeps.
        address: Where it listens; loopback the engine trusts without TLS, every other address it does not.
        tls: Whether it has a certificate.
        password: Of the one user; empty lets everybody in.
        inside: What stands before its command, for instance to run it in another network.
    """

    def __init__(
        self,
        server: Path,
        folder: Path,
        *,
        address: str = "127.0.0.1",
        tls: bool = False,
        password: str = "",
        inside: Sequence[str] = (),
    ) -> None:
        folder.mkdir()
        self._command = [*inside, str(server), "serve"]
        self.folder = folder
        self.host = f"{address}:0"
        self._options: dict[str, Any] = {
            "version": "0.1",
            "storage": {"filesystem": {"rootdirectory": f"{folder}/store"}},
        }
        self._tls: dict[str, str] = {}
        if tls:
            certificates(folder, address)
            self._tls = {"certificate": f"{folder}/server.crt", "key": f"{folder}/server.key"}
        if password:
            (folder / "htpasswd").write_text(f"{USER}:{hashed(password)}\n")
            self._options["auth"] = {"htpasswd": {"realm": "test", "path": f"{folder}/htpasswd"}}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again on the port that it had."""
        config, log = self.folder / "config.yml", self.folder / "log"
        # JSON is YAML.
        config.write_text(json.dumps({**self._options, "http": {"addr": self.host, "tls": self._tls}}))
        with log.open("wb") as out:
            self._process = subprocess.Popen([*self._command, config], stdout=out, stderr=out)
        self.host = until(lambda: LISTENS.search(log.read_text()), "the registry")[1]

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def tags(self, repository: str) -> list[str]:
        """Return the tags that are in its store."""
        folder = self.folder / "store/docker/registry/v2/repositories" / repository / "_manifests/tags"
        return sorted(each.name for each in folder.glob("*"))


class Gate:
    """A slow way to a registry, which is gone once it has said so often that something is done.

    Attributes:
        host: Where clients come in.
        sent: How many bytes have gone in.
    """

    def __init__(self, host: str, *, rate: int = 0) -> None:
        self._to = (host.rpartition(":")[0], int(host.rpartition(":")[2]))
        self._rate = rate
        self._server = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._server.getsockname()[1]}"
        self._after = 0
        self._on_end: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self.sent = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def ends(self, after: int, then: Callable[[], None]) -> None:
        """Do something, and cut every connection, after so many uploads are done."""
        self._after, self._on_end = after, then

    def close(self) -> None:
        self._server.close()
        self._cut()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                try:
                    far = socket.create_connection(self._to)
                except OSError:
                    near.close()
                    continue
                self._open += [near, far]
                for one, other, inwards in ((near, far, True), (far, near, False)):
                    threading.Thread(target=self._pump, args=(one, other, inwards), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket, inwards: bool) -> None:
        with suppress(OSError):
            while data := one.recv(SLICE):
                if inwards:
                    self.sent += len(data)
                    time.sleep(len(data) / self._rate if self._rate else 0)
                elif DONE in data and self._counted():
                    return
                other.sendall(data)
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _counted(self) -> bool:
        """Count an upload that is done; whether it was the last one."""
        with self._lock:
            self._after -= 1
            if self._after != 0:
                return False
        self._on_end()
        self._cut()
        return True

    def _cut(self) -> None:
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()


def trust(host: str, certificate: Path | None) -> None:
    """Let the engine trust a CA for one registry, or no more."""
    before = privilege()
    if before is None:
        pytest.skip(f"not run: {CERTIFICATES} cannot be written by this user")
    place = CERTIFICATES / host
    if certificate:
        subprocess.run([*before, "install", "-D", "-m", "0644", certificate, place / "ca.crt"], check=True)
    else:
        subprocess.run([*before, "rm", "-rf", place], check=True)
        subprocess.run([*before, "rmdir", "--ignore-fail-on-non-empty", CERTIFICATES], check=False, capture_output=True)


def command_lines() -> str:
    """Return the argument lists of every process of this machine."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(each.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return "\n".join(found)
