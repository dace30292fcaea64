"""A client without a socket, the real process, a log that can be read, and model files that were tampered with."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import onnx
import pytest

from house_pricing import auth
from house_pricing import contract as contracts
from house_pricing.app import create_app
from house_pricing.logs import Log
from house_pricing.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .mlflow_server import MlflowServer

SOURCE = Path(auth.__file__).parents[1]
CONFIG = Path(__file__).parents[2] / "config"
SHIPPED = CONFIG / "models" / "french-listings.onnx"
KEY = "a-key-for-the-tests-of-32-letters"
FLAT = {"surface_m2": 62, "rooms": 3, "property_type": "apartment", "postal_code": "75011"}


def wait_until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The condition's first true value; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.005)
    raise AssertionError(f"nothing within {seconds} s")


class Client:
    """The application as a browser would see it, in this process."""

    def __init__(self, settings: Settings, log: Log, *, start: bool = True) -> None:
        self.app = create_app(settings, log)
        self.loader = self.app.state.loader
        self._runner = asyncio.Runner()
        self._lifespan = self.app.router.lifespan_context(self.app)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://test")
        if start:
            self._runner.run(self._lifespan.__aenter__())
            wait_until(lambda: self.loader.state != "starting")

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._runner.run(self.http.request(method, path, **options))

    def run(self, work: Any) -> Any:
        return self._runner.run(work)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, content: Any = b"", key: str | None = KEY, **headers: str) -> httpx.Response:
        headers = {**headers, **({"X-API-Key": key} if key is not None else {})}
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.request("POST", path, content=body, headers=headers)

    def predict(self, listing: Any = FLAT, key: str | None = KEY, **headers: str) -> httpx.Response:
        return self.post("/predict", listing, key, **headers)

    def close(self) -> None:
        self._runner.run(self.http.aclose())
        self.loader.stop()
        self._runner.close()


class Process:
    """`python -m house_pricing` on a free port of the loopback."""

    def __init__(self, folder: Path, **environ: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SOURCE),
            "PYTHONWARNINGS": "error",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "API_KEY": KEY,
            "CONFIG_DIR": str(CONFIG),
            **environ,
        }
        self.out, self.err = folder / "out", folder / "err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "house_pricing"], env=self.environ, cwd=folder, stdout=out, stderr=err
            )

    def ask(self, method: str, path: str, **options: Any) -> http.client.HTTPResponse | None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, **options)
            answer = connection.getresponse()
            answer.read()
        except OSError:
            return None
        finally:
            connection.close()
        return answer

    def status(self, path: str) -> int | None:
        answer = self.ask("GET", path)
        return answer.status if answer else None

    def wait_for(self, path: str, status: int | None) -> None:
        wait_until(lambda: self.status(path) == status)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.read_text().splitlines()]

    def healthcheck(self, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "house_pricing.healthcheck"],
            env={**self.environ, **environ},
            cwd=self.out.parent,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


class ReadableLog(Log):
    """A log whose stdout is a file."""

    def __init__(self, path: Path, level: str = "debug", **options: Any) -> None:
        self._path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        super().__init__(level, stdout=self._fd, **options)

    def text(self) -> str:
        self.flush()
        return self._path.read_text(encoding="utf-8")

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        every = [json.loads(line) for line in self.text().splitlines()]
        return [line for line in every if event in {None, line["event"]}]

    def close(self) -> None:
        super().close()
        os.close(self._fd)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ReadableLog]:
    opened = ReadableLog(tmp_path / "stdout.log")
    yield opened
    opened.close()


@pytest.fixture
def make_client(log: ReadableLog) -> Iterator[Callable[..., Client]]:
    clients: list[Client] = []

    def make(*, start: bool = True, **settings: Any) -> Client:
        given = {"api_key": KEY, "config_dir": str(CONFIG), **settings}
        clients.append(Client(Settings(**given), log, start=start))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
    wait_until(lambda: not any(thread.name == "loader" for thread in threading.enumerate()))  # it may still log


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    return make_client()


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """One real MLflow server for every test that asks; each registers models of its own."""
    from .mlflow_server import MlflowServer  # noqa: PLC0415 - it waits with what this file defines

    server = MlflowServer(tmp_path_factory.mktemp("mlflow"))
    try:
        server.wait()
        yield server
    finally:
        server.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    processes: list[Process] = []

    def begin(**environ: str) -> Process:
        processes.append(Process(tmp_path, **environ))
        return processes[-1]

    yield begin
    for process in processes:
        process.popen.kill()
        process.popen.wait(10)


@pytest.fixture
def running(start: Callable[..., Process]) -> Process:
    process = start()
    process.wait_for("/ready", 200)
    return process


@pytest.fixture(scope="session")
def shipped() -> bytes:
    """The model file of the repository."""
    return SHIPPED.read_bytes()


def edited(content: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The model with another contract inside."""
    model = onnx.load_from_string(content)
    contract = json.loads(model.metadata_props[0].value)
    change(contract)
    onnx.helper.set_model_props(model, {contracts.METADATA_KEY: json.dumps(contract)})
    return bytes(model.SerializeToString())


def saved(folder: Path, content: bytes, sha256: str | None = None) -> Path:
    """The model as a file with a digest beside it, the right one unless another is given."""
    path = folder / "some.onnx"
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest() if sha256 is None else sha256
    path.with_name("some.onnx.sha256").write_text(f"{digest}  some.onnx\n")
    return path


def census_model() -> bytes:
    """A hand-made model of another kind: price = exp(income + age), with a contract of its own."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [
            helper.make_node("ReduceSum", ["features", "axes"], ["log_price"], keepdims=1),
            helper.make_node("Exp", ["log_price"], ["price"]),
        ],
        "census",
        [helper.make_tensor_value_info("features", kind, [None, 2])],
        [helper.make_tensor_value_info("price", kind, [None, 1])],
        [helper.make_tensor("axes", onnx.TensorProto.INT64, [1], [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    number = {"type": "number", "minimum": 0, "maximum": 10, "example": 2.0}
    contract = {
        "format": 1,
        "name": "census",
        "version": "7",
        "currency": "USD",
        "features": [
            {"name": "income", "description": "Median income.", **number},
            {"name": "age", "description": "Age in decades.", "required": False, "default": 1, **number},
        ],
        "spread": {"low": 0.5, "high": 2.0, "coverage": 0.8, "measured": 0.81},
        "tolerance": 1e-4,
        "golden": [{"name": "two", "request": {"income": 2}, "expected": {"predicted_price": 20.0855}}],
        "metrics": {"r2": 0.5},
        "data": "made by hand",
        "libraries": {},
    }
    helper.set_model_props(model, {contracts.METADATA_KEY: json.dumps(contract)})
    return bytes(model.SerializeToString())
