"""A model from a real MLflow server: found, unknown, tampered with, out of reach at the start and later."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from house_pricing.loader import Loader

from .conftest import KEY, Client, ReadableLog, edited, wait_until
from .mlflow_server import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .mlflow_server import MlflowServer

    Make = Callable[..., Client]


@pytest.fixture
def mlflow(mlflow_server: MlflowServer) -> MlflowServer:
    """The server all tests share, by a shorter name."""
    return mlflow_server


@pytest.fixture
def wire(mlflow: MlflowServer) -> Iterator[Wire]:
    wire = Wire(mlflow)
    yield wire
    wire.cut()


@pytest.fixture
def name() -> str:
    """A registered model that no other test knows, with a name that needs quoting."""
    return f"prices é&{os.urandom(4).hex()}"


def numbered(content: bytes, number: str) -> bytes:
    def change(contract: dict[str, Any]) -> None:
        contract["version"] = number

    return edited(content, change)


@pytest.mark.parametrize("tag", [True, False], ids=["tag", "file"])
def test_alias_is_served(mlflow: MlflowServer, make_client: Make, name: str, shipped: bytes, tag: bool) -> None:
    """The version behind the alias is fetched, compared with its tag or the file beside it, and served."""
    mlflow.register(name, shipped, "live", tag=tag)
    client = make_client(mlflow_tracking_uri=mlflow.uri, model_name=name, model_alias="live")
    assert client.predict().status_code == 200
    assert client.loader.served.model.source == f"registry {name}@live (version 1) at {mlflow.uri}"
    assert "fallback" not in client.get("/ready").json()


def test_unknown_alias_is_not_ready(
    mlflow: MlflowServer, make_client: Make, name: str, shipped: bytes, tmp_path: Path
) -> None:
    """MLflow answers 400; that is a setting, and no copy of another alias takes its place."""
    mlflow.register(name, shipped, "live")
    options = {"mlflow_tracking_uri": mlflow.uri, "model_name": name, "model_cache_dir": str(tmp_path)}
    assert make_client(**options, model_alias="live").get("/ready").status_code == 200
    refused = make_client(**options, model_alias="champion").get("/ready")
    assert refused.status_code == 503
    assert "answers 400" in refused.json()["detail"]


def test_alias_taken_away_is_not_passed_over(
    mlflow: MlflowServer, make_client: Make, name: str, shipped: bytes, tmp_path: Path
) -> None:
    """An alias that somebody took off is a refusal at the next start, whatever copy there is; who serves goes on."""
    mlflow.register(name, shipped, "live")
    options = {"mlflow_tracking_uri": mlflow.uri, "model_name": name, "model_cache_dir": str(tmp_path)}
    running = make_client(**options, model_alias="live")
    mlflow.call("registered-models/alias", "DELETE", name=name, alias="live")
    assert "answers 400" in make_client(**options, model_alias="live").get("/ready").json()["detail"]
    assert running.post("/model/reload").status_code == 503
    assert running.predict().status_code == 200


def test_tampered_file_is_refused(mlflow: MlflowServer, make_client: Make, name: str, shipped: bytes) -> None:
    """A file that was changed in the store after it was registered is not served."""
    stored = mlflow.register(name, shipped, "live")
    stored.write_bytes(numbered(shipped, "6.6.6"))
    client = make_client(mlflow_tracking_uri=mlflow.uri, model_name=name, model_alias="live")
    assert "the file was changed" in client.get("/ready").json()["detail"]


def test_reload_takes_the_newer_version(mlflow: MlflowServer, make_client: Make, name: str, shipped: bytes) -> None:
    """The alias moves, /model/reload follows; a tampered third version leaves the second where it is."""
    mlflow.register(name, shipped, "live")
    client = make_client(mlflow_tracking_uri=mlflow.uri, model_name=name, model_alias="live")
    mlflow.register(name, numbered(shipped, "2.0.0"), "live")
    assert client.predict().json()["model_version"] == "french-listings-1.0.0"
    answer = client.post("/model/reload").json()
    assert (answer["status"], answer["previous"]) == ("reloaded", "french-listings-1.0.0")
    assert "(version 2)" in answer["source"]
    mlflow.register(name, numbered(shipped, "3.0.0"), "live").write_bytes(b"tampered")
    refused = client.post("/model/reload")
    assert refused.status_code == 503
    assert "the file was changed" in refused.json()["detail"]
    assert "french-listings-2.0.0 goes on being served" in refused.json()["detail"]
    assert client.predict().json()["model_version"] == "french-listings-2.0.0"


def test_registry_down_later_changes_nothing(
    wire: Wire, make_client: Make, name: str, shipped: bytes, tmp_path: Path
) -> None:
    """A registry that goes away costs a running service nothing; a reload says so and keeps the model."""
    wire.server.register(name, shipped, "live")
    wire.mend()
    options = {"mlflow_tracking_uri": wire.uri, "model_name": name, "model_alias": "live"}
    client = make_client(**options, model_cache_dir=str(tmp_path))
    wire.cut()
    assert "does not answer" in client.post("/model/reload").json()["detail"]
    assert [client.get(path).status_code for path in ("/ready", "/health")] == [200, 200]
    assert "fallback" not in client.get("/ready").json()
    assert client.predict().status_code == 200


def test_registry_down_at_start_without_a_copy(wire: Wire, make_client: Make) -> None:
    """Without a copy the service is alive but not ready, and says why."""
    client = make_client(mlflow_tracking_uri=wire.uri)
    assert client.get("/health").status_code == 200
    assert "does not answer" in client.get("/ready").json()["detail"]


def test_last_good_copy_bridges_a_registry_that_is_down(
    wire: Wire,
    make_client: Make,
    name: str,
    shipped: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    log: ReadableLog,
) -> None:
    """Down at the start: the copy serves and /ready says so; back again: the newer version comes by itself."""
    options = {"mlflow_tracking_uri": wire.uri, "model_name": name, "model_alias": "live"}
    wire.server.register(name, shipped, "live")
    wire.mend()
    assert make_client(**options, model_cache_dir=str(tmp_path)).get("/ready").status_code == 200
    wire.cut()
    wire.server.register(name, numbered(shipped, "2.0.0"), "live")

    monkeypatch.setattr("house_pricing.app.Loader", partial(Loader, pause=0.01))
    client = make_client(**options, model_cache_dir=str(tmp_path))
    assert client.loader.served.model.source.startswith(f"last good copy of registry {name}@live (version 1)")
    assert client.get("/ready").json()["fallback"] == "the registry does not answer"
    about = client.get("/model", headers={"X-API-Key": KEY}).json()
    assert about["fallback"].startswith(f"{wire.uri}: the registry does not answer: ")
    assert client.predict().json()["model_version"] == "french-listings-1.0.0"
    assert "house_pricing_model_fallback 1.0" in client.get("/metrics").text
    assert log.lines("model_ready")[-1]["level"] == "warning"

    wire.mend()
    wait_until(lambda: "fallback" not in client.get("/ready").json())
    assert client.predict().json()["model_version"] == "french-listings-2.0.0"
    assert "house_pricing_model_fallback 0.0" in client.get("/metrics").text


def test_tampered_copy_is_refused(wire: Wire, make_client: Make, name: str, shipped: bytes, tmp_path: Path) -> None:
    """The copy on the volume is checked like any other model."""
    options = {"mlflow_tracking_uri": wire.uri, "model_name": name, "model_alias": "live"}
    wire.server.register(name, shipped, "live")
    wire.mend()
    make_client(**options, model_cache_dir=str(tmp_path))
    wire.cut()
    (copy,) = tmp_path.glob("*.onnx")
    copy.write_bytes(numbered(shipped, "6.6.6"))
    refused = make_client(**options, model_cache_dir=str(tmp_path)).get("/ready")
    assert refused.status_code == 503
    assert "does not answer" in refused.json()["detail"]
    assert "the file was changed" in refused.json()["detail"]
