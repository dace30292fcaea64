"""What is served, and taking another model without a stop."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from house_pricing import model, origin
from house_pricing.loader import Loader
from house_pricing.schema import ModelInfo, Reloaded

from .conftest import FLAT, KEY, SHIPPED, Client, ReadableLog, census_model, saved, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("path", ["/model", "/model/metadata"])
def test_model_says_what_it_is(client: Client, path: str) -> None:
    """Name, version, features, metrics, digest, origin and interval, as the file has them."""
    answer = client.get(path, headers={"X-API-Key": KEY})
    assert answer.status_code == 200
    info = ModelInfo.model_validate_json(answer.content)
    served = client.loader.served.model
    assert (info.name, info.version, info.sha256) == ("french-listings", "1.0.0", served.sha256)
    assert info.source == f"default {SHIPPED}"
    assert info.features == list(served.contract.features)
    assert info.metrics == served.contract.metrics
    assert info.interval == served.contract.spread
    assert not {"golden", "spread", "format"} & set(answer.json())


@pytest.mark.parametrize(("method", "path"), [("GET", "/model"), ("GET", "/model/metadata"), ("POST", "/model/reload")])
def test_model_needs_a_key(client: Client, method: str, path: str) -> None:
    """What the model is, and which one is served, is not everybody's business."""
    answer = client.request(method, path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("ApiKey ")


def test_model_without_a_model_is_503(make_client: Callable[..., Client], tmp_path: Path, shipped: bytes) -> None:
    """No model yet: 503 with the reason."""
    client = make_client(model_path=str(saved(tmp_path, shipped, sha256="0" * 64)))
    answer = client.get("/model", headers={"X-API-Key": KEY})
    assert answer.status_code == 503
    assert "the file was changed" in answer.json()["detail"]


def test_reload_takes_another_model(make_client: Callable[..., Client], tmp_path: Path, shipped: bytes) -> None:
    """A new file is served from the next request on: another contract, another request."""
    client = make_client(model_path=str(saved(tmp_path, shipped)))
    same = Reloaded.model_validate_json(client.post("/model/reload").content)
    assert (same.status, same.previous) == ("unchanged", same.model_version)
    saved(tmp_path, census_model())
    other = Reloaded.model_validate_json(client.post("/model/reload").content)
    assert (other.status, other.model_version, other.previous) == ("reloaded", "census-7", "french-listings-1.0.0")
    assert client.predict({"income": 1}).json()["currency"] == "USD"
    assert client.get("/ready").json()["model_version"] == "census-7"
    assert "income" in client.get("/openapi.json").json()["components"]["schemas"]["Listing"]["properties"]


def test_reload_that_fails_keeps_the_model(
    make_client: Callable[..., Client], tmp_path: Path, shipped: bytes, log: ReadableLog
) -> None:
    """503 says why; the old model serves on, /ready stays 200, and the log has a warning."""
    client = make_client(model_path=str(saved(tmp_path, shipped)))
    saved(tmp_path, shipped, sha256="0" * 64)
    answer = client.post("/model/reload")
    assert answer.status_code == 503
    assert "the file was changed" in answer.json()["detail"]
    assert answer.json()["detail"].endswith("french-listings-1.0.0 goes on being served.")
    assert client.get("/ready").status_code == 200
    assert client.predict().status_code == 200
    (line,) = log.lines("model_failed")
    assert (line["level"], line["model_version"]) == ("warning", "french-listings-1.0.0")


def test_reload_mends_a_service_without_a_model(
    make_client: Callable[..., Client], tmp_path: Path, shipped: bytes
) -> None:
    """Nobody has to wait for the next attempt in the background."""
    client = make_client(model_path=str(saved(tmp_path, shipped, sha256="0" * 64)))
    assert client.post("/model/reload").json()["detail"].endswith("There is none.")
    saved(tmp_path, shipped)
    assert client.post("/model/reload").json()["status"] == "reloaded"
    assert client.get("/ready").status_code == 200


def test_reloads_at_once_take_turns(make_client: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten reloads at once are ten loads, never two at a time, and all are answered."""
    shipped = model.load(SHIPPED, 10_000_000, "default")
    busy, calls = threading.Lock(), []

    def open_model() -> model.Model:
        assert busy.acquire(blocking=False)
        calls.append(threading.current_thread().name)
        busy.release()
        return shipped

    monkeypatch.setattr("house_pricing.app.model_opener", lambda *_: open_model)
    client = make_client()

    async def all_at_once() -> list[int]:
        ask = client.http.post
        answers = await asyncio.gather(*(ask("/model/reload", headers={"X-API-Key": KEY}) for _ in range(10)))
        return [answer.status_code for answer in answers]

    assert client.run(all_at_once()) == [200] * 10
    assert calls == ["loader"] * 11


def test_reload_while_stopping_is_refused(client: Client) -> None:
    """Who stops loads nothing any more, and nobody waits for it."""
    client.loader.stop()
    answer = client.post("/model/reload")
    assert answer.status_code == 503
    assert "The service is stopping" in answer.json()["detail"]


def test_reload_that_nobody_waits_for_is_skipped(log: ReadableLog) -> None:
    """A client that left before its turn costs no load."""
    gate = threading.Semaphore(0)
    calls: list[Any] = []

    def open_model() -> model.Model:
        calls.append(gate.acquire())
        raise model.ModelError("no")

    loader = Loader(open_model, log, pause=1000)
    loader.start()
    left, waits = loader.reload(), loader.reload()
    assert left.cancel()
    gate.release(2)
    with pytest.raises(model.ModelError, match="no"):
        waits.result(10)
    assert len(calls) == 2
    loader.stop()
    wait_until(lambda: not any(thread.name == "loader" for thread in threading.enumerate()))


def test_copy_that_cannot_be_kept_is_said(
    make_client: Callable[..., Client], monkeypatch: pytest.MonkeyPatch, log: ReadableLog, shipped: bytes
) -> None:
    """A cache folder that cannot be written is a warning; the model is served all the same."""
    served = model.load(SHIPPED, 10_000_000, "registry")
    monkeypatch.setattr(origin.registry, "fetch", lambda _: (served, shipped))
    client = make_client(mlflow_tracking_uri="http://mlflow", model_cache_dir="/proc/nowhere")
    assert client.predict(FLAT).status_code == 200
    (line,) = log.lines("model_copy")
    assert line["level"] == "warning"
    assert line["message"].startswith("MODEL_CACHE_DIR: ")
