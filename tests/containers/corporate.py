"""A corporate network on this machine: an authority, an index behind a password, a proxy behind another, a mirror."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import secrets
import selectors
import socket
import ssl
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HOST = "index.corp.example"  # which nothing but the proxy can find
UNKNOWN = b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'
METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


class Answer(BaseHTTPRequestHandler):
    """One request; nothing of it is printed."""

    protocol_version = "HTTP/1.1"

    def answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        # What is kept in a cache of pip would be asked for once, and never again.
        for name, value in {"Content-Length": str(len(content)), "Cache-Control": "no-store", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def allowed(self, header: str, credentials: str) -> bool:
        return self.headers.get(header) == f"Basic {base64.b64encode(credentials.encode()).decode()}"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A server in a thread of its own; a client that goes away is no error."""

    daemon_threads = True

    def __enter__(self) -> Server:
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Pass over it."""

    @property
    def port(self) -> int:
        return int(self.server_address[1])


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A private CA, and a server's certificate of it."""

    bundle: Path
    certificate: Path
    key: Path

    def secure(self, server: Server) -> Server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        return server


def authority(folder: Path, names: str) -> Authority:
    """Make an authority that nobody trusts by default, and a certificate for these names."""
    ca, key, asked, made = (folder / name for name in ("ca.pem", "key.pem", "asked.pem", "made.pem"))
    options = folder / "options"
    options.write_text(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n", "utf-8")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(
        "req", "-x509", *new, "-keyout", f"{ca}.key", "-out", ca, "-days", "2", "-subj", f"/CN={secrets.token_hex(8)}"
    )
    openssl("req", *new, "-keyout", key, "-out", asked, "-subj", f"/CN={HOST}")
    signed = ("-CA", ca, "-CAkey", f"{ca}.key", "-CAcreateserial", "-extfile", options)
    openssl("x509", "-req", "-in", asked, *signed, "-out", made, "-days", "2")
    return Authority(bundle=ca, certificate=made, key=key)


def openssl(*command: object) -> None:
    subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True)


def wheel(folder: Path, name: str, program: Path | None = None) -> Path:
    """Make a distribution of one module, and of a program if there is one."""
    file = folder / f"{name}-1.0-py3-none-any.whl"
    told = f"{name}-1.0.dist-info"
    entries: dict[str, bytes] = {
        f"{name}_probe.py": b"HERE = True\n",
        f"{told}/METADATA": METADATA.format(name=name).encode(),
        f"{told}/WHEEL": WHEEL.encode(),
    }
    if program:
        entries[f"{name}-1.0.data/scripts/{program.name}"] = program.read_bytes()
    listed = "".join(f"{each},sha256={digest(content)},{len(content)}\n" for each, content in entries.items())
    with zipfile.ZipFile(file, "w") as archive:
        for each, content in entries.items():
            entry = zipfile.ZipInfo(each)
            entry.external_attr = 0o100755 << 16
            archive.writestr(entry, content)
        archive.writestr(f"{told}/RECORD", f"{listed}{told}/RECORD,,\n")
    return file


def digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def pinned(file: Path) -> str:
    """Return the line of a hashed lock for a wheel."""
    return f"{file.name.partition('-')[0]}==1.0 --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"


@dataclass
class Index:
    """A package index behind a password; `served` are the files that somebody got."""

    wheels: tuple[Path, ...]
    credentials: str
    served: list[str] = field(default_factory=list)

    def handler(self) -> type[Answer]:
        index = self

        class Packages(Answer):
            def do_GET(self) -> None:
                if not self.allowed("Authorization", index.credentials):
                    self.answer(401, WWW_Authenticate='Basic realm="packages"')
                    return
                self.answer(*index.asked(self.path), Content_Type="text/html")
                if self.command == "GET" and self.path.startswith("/files/"):
                    index.served.append(self.path.removeprefix("/files/"))

            do_HEAD = do_GET  # noqa: N815 - http.server's name

        return Packages

    def asked(self, path: str) -> tuple[int, bytes]:
        project = re.fullmatch(r"/simple/(\w+)/", path)
        if project:
            named = [each.name for each in self.wheels if each.name.startswith(f"{project[1]}-")]
            return 200, "".join(f'<a href="/files/{name}">{name}</a>\n' for name in named).encode()
        for each in self.wheels:
            if path == f"/files/{each.name}":
                return 200, each.read_bytes()
        return 404, b""


@dataclass
class Proxy:
    """A forward proxy behind a password, which alone knows where the index is; `passed` is what went through."""

    place: tuple[str, int]
    credentials: str
    passed: list[str] = field(default_factory=list)

    def handler(self) -> type[Answer]:
        proxy = self

        class Connect(Answer):
            def do_CONNECT(self) -> None:
                if not self.allowed("Proxy-Authorization", proxy.credentials):
                    self.answer(407, Proxy_Authenticate='Basic realm="proxy"')
                elif self.path != f"{HOST}:443":
                    self.answer(403)
                else:
                    proxy.passed.append(self.path)
                    self.answer(200)
                    joined(self.connection, proxy.place)
                self.close_connection = True

        return Connect


def joined(one: socket.socket, place: tuple[str, int]) -> None:
    """Carry bytes between a client and a place until either ends."""
    with socket.create_connection(place) as other, selectors.DefaultSelector() as ready:
        ready.register(one, selectors.EVENT_READ, other)
        ready.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in ready.select():
                content = key.fileobj.recv(65536)  # type: ignore[union-attr]
                if not content:
                    return
                key.data.sendall(content)


@dataclass(frozen=True)
class Mirror:
    """A registry that gives one image away under one name, and takes nothing; `asked` are the paths."""

    repository: str
    blobs: dict[str, tuple[str, bytes]]
    tag: str
    asked: list[str] = field(default_factory=list)

    def handler(self) -> type[Answer]:
        mirror = self

        class Registry(Answer):
            def handle_one_request(self) -> None:
                # An engine tries TLS first, also on loopback; it takes plain HTTP if it is told so in HTTP.
                if self.connection.recv(1, socket.MSG_PEEK) == b"\x16":
                    self.wfile.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    self.close_connection = True
                else:
                    super().handle_one_request()

            def do_GET(self) -> None:
                mirror.asked.append(self.path)
                if self.path.rstrip("/") == "/v2":
                    self.answer(200)
                    return
                found = re.fullmatch(rf"/v2/{mirror.repository}/(?:manifests|blobs)/([^?]+)(\?.*)?", self.path)
                name = mirror.tag if found and found[1] == "3.12" else found[1] if found else ""
                if name not in mirror.blobs:
                    self.answer(404, UNKNOWN, Content_Type="application/json")
                    return
                kind, content = mirror.blobs[name]
                self.answer(200, content, Content_Type=kind, Docker_Content_Digest=name)

            do_HEAD = do_GET  # noqa: N815 - http.server's name

        return Registry


def mirror(repository: str, labels: dict[str, str], architecture: str) -> Mirror:
    """Return a mirror of an image that holds one file."""
    kinds = "application/vnd.oci.image"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("base"))
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": [named(packed.getvalue())]},
    }
    parts = (
        (f"{kinds}.config.v1+json", json.dumps(config).encode()),
        (f"{kinds}.layer.v1.tar+gzip", gzip.compress(packed.getvalue())),
    )
    described = [{"mediaType": kind, "digest": named(content), "size": len(content)} for kind, content in parts]
    kind = f"{kinds}.manifest.v1+json"
    told = {"schemaVersion": 2, "mediaType": kind, "config": described[0], "layers": described[1:]}
    manifest = json.dumps(told).encode()
    blobs = {named(content): (kind, content) for kind, content in ((kind, manifest), *parts)}
    return Mirror(repository, blobs, named(manifest))


def named(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


if __name__ == "__main__":
    # In the network of another engine, in which every port is free.
    kind = {"x86_64": "amd64", "aarch64": "arm64"}[sys.argv[2]]
    with ThreadingHTTPServer(("127.0.0.1", 5000), mirror(sys.argv[1], {}, kind).handler()) as answering:
        sys.stdout.write("serves\n")
        sys.stdout.flush()
        answering.serve_forever()
