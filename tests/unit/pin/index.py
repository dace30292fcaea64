"""A package index on this machine that says when its files were uploaded, as the public one does."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def wheel(name: str, version: str, needs: tuple[str, ...] = ()) -> bytes:
    """Return a wheel that holds nothing but its metadata."""
    info = f"{name}-{version}.dist-info"
    required = "".join(f"Requires-Dist: {each}\n" for each in needs)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{required}")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return buffer.getvalue()


class Index:
    """What is published: wheels with the days since their upload; None is not told."""

    def __init__(self) -> None:
        self.address = ""
        self._files: dict[str, tuple[str, bytes, int | None]] = {}
        self.authorizations: set[str] = set()

    def publish(self, name: str, version: str, *, days: int | None, needs: tuple[str, ...] = ()) -> None:
        """Upload a distribution's wheel."""
        self._files[f"{name}-{version}-py3-none-any.whl"] = (name, wheel(name, version, needs), days)

    def answer(self, path: str) -> tuple[str, bytes] | None:
        """Return the type and the content of a path, or None."""
        *_, name = path.strip("/").split("/")
        if path.startswith("/files/") and name in self._files:
            return "application/octet-stream", self._files[name][1]
        files = [self._told(each, *rest) for each, (of, *rest) in self._files.items() if of == name]
        document = {"meta": {"api-version": "1.1"}, "name": name, "files": files}
        return ("application/vnd.pypi.simple.v1+json", json.dumps(document).encode()) if files else None

    def _told(self, name: str, content: bytes, days: int | None) -> dict[str, Any]:
        hashes = {"sha256": hashlib.sha256(content).hexdigest()}
        told = {"filename": name, "url": f"/files/{name}", "hashes": hashes, "size": len(content)}
        if days is not None:
            told["upload-time"] = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return told


@contextmanager
def serving() -> Iterator[Index]:
    """Serve an empty index on a free port."""
    index = Index()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.authorizations.add(self.headers.get("Authorization", ""))
            found = index.answer(self.path)
            self.send_response(200 if found else 404)
            kind, content = found or ("text/plain", b"")
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815 - the name that the server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    index.address = f"http://127.0.0.1:{server.server_port}/simple"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
