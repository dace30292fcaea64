"""A client without a socket, a log that can be read, and model files that were tampered with."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import onnx
import pytest

from house_pricing import contract as contracts
from house_pricing.app import create_app
from house_pricing.logs import Log
from house_pricing.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://test")
        if start:
            self._runner.run(self._lifespan.__aenter__())
            wait_until(lambda: self.loader.state != "starting")

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._runner.run(self._http.request(method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def predict(self, listing: Any = FLAT, key: str | None = KEY, **headers: str) -> httpx.Response:
        headers = {**headers, **({"X-API-Key": key} if key is not None else {})}
        body = listing if isinstance(listing, bytes) else json.dumps(listing).encode()
        return self.request("POST", "/predict", content=body, headers=headers)

    def close(self) -> None:
        self._runner.run(self._http.aclose())
        self.loader.stop()
        self._runner.close()


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


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    return make_client()


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
