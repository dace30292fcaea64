"""A real MLflow server for tests, and a wire to it that can be cut: SQLite store, artifact proxy, free ports."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

from .conftest import wait_until

if TYPE_CHECKING:
    from pathlib import Path

API = "/api/2.0/mlflow/"


def free_port() -> int:
    """A port of the loopback where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


class MlflowServer:
    """`mlflow server` on a free port; everything it keeps is in the folder."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self._artifacts = folder / "artifacts"
        self._log = folder / "server.log"
        options = {
            "--host": "127.0.0.1",
            "--port": str(self.port),
            "--backend-store-uri": f"sqlite:///{folder / 'mlflow.db'}",
            "--artifacts-destination": str(self._artifacts),
            "--workers": "1",
        }
        command = [sys.executable, "-m", "mlflow", "server", *(word for pair in options.items() for word in pair)]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
        # Its job runners are ten more processes that nothing here asks for.
        environ |= {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONWARNINGS": "ignore"}
        with self._log.open("wb") as log:
            self._popen = subprocess.Popen(
                command, cwd=folder, env=environ, stdout=log, stderr=log, start_new_session=True
            )

    def wait(self) -> None:
        """Until it answers; fails at once when it has ended."""
        wait_until(self._answers, 120)

    def _answers(self) -> bool:
        code = self._popen.poll()
        assert code is None, f"mlflow server ended with {code}: {self._log.read_text(errors='replace')[-2000:]}"
        try:
            return self._ask("GET", "/health")[0] == 200
        except OSError:
            return False

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            with connection.getresponse() as reply:
                return reply.status, reply.read()
        finally:
            connection.close()

    def call(self, api: str, method: str = "POST", **body: Any) -> dict[str, Any]:
        """Ask a method of the REST API."""
        status, reply = self._ask(method, API + api, json.dumps(body).encode())
        assert status == 200, reply
        answer: dict[str, Any] = json.loads(reply)
        return answer

    def register(self, name: str, content: bytes, alias: str, *, tag: bool = True) -> Path:
        """Put a model behind an alias, as training does; returns where the store keeps the file.

        The digest is a tag of the version, or, without `tag`, the file beside the model.
        """
        digest = hashlib.sha256(content).hexdigest()
        run = self.call("runs/create", experiment_id="0")["run"]["info"]
        folder = run["artifact_uri"].removeprefix("mlflow-artifacts:/") + "/model/"
        for file, data in {"model.onnx": content, "model.onnx.sha256": f"{digest}  model.onnx\n".encode()}.items():
            status, body = self._ask("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{folder}{file}", data)
            assert status == 200, body
        status, body = self._ask("POST", f"{API}registered-models/create", json.dumps({"name": name}).encode())
        assert status == 200 or b"RESOURCE_ALREADY_EXISTS" in body, body
        tags = [{"key": "sha256", "value": digest}] if tag else []
        source = f"{run['artifact_uri']}/model"
        made = self.call("model-versions/create", name=name, source=source, run_id=run["run_id"], tags=tags)
        self.call("registered-models/alias", name=name, alias=alias, version=made["model_version"]["version"])
        return self._artifacts / folder / "model.onnx"

    def close(self) -> None:
        """End the server and its workers: the group that was made for them, by its id."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGTERM)
        try:
            self._popen.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.wait(10)


class Wire:
    """A port that leads to the server while it is mended, and refuses while it is cut; cut at first."""

    def __init__(self, server: MlflowServer) -> None:
        self.server = server
        self.port = free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def mend(self) -> None:
        """Let connections through."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._thread = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Refuse connections; those that are open end by themselves."""
        if self._listener is not None and self._thread is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._thread.join(10)
            self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        """One connection: both directions until both sides are done."""
        with client, socket.create_connection(("127.0.0.1", self.server.port)) as server:
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
