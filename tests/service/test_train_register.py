"""`--register` against a real MLflow server, and what the service then fetches."""

from __future__ import annotations

import hashlib
import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from house_pricing import model, train
from house_pricing.train import register

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .mlflow_server import MlflowServer

ARGUMENTS = ["--sample", "california", "--rows", "300", "--folds", "2", "--register"]
HOMES = ["--registered-name", "homes", "--alias", "live"]
FILES = {"model.onnx", "model.onnx.sha256", "golden.json", "card.md", "evaluation.json"}


@pytest.fixture(scope="module")
def uri(mlflow_server: MlflowServer) -> str:
    """Address of a real MLflow server."""
    return mlflow_server.uri


@pytest.fixture(scope="module")
def client(uri: str) -> Iterator[Any]:
    """MLflow's client, as training makes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        for name, value in register.CLIENT.items():
            patch.setenv(name, value)
        yield register.connect()


@pytest.fixture(scope="module")
def trained(client: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a model that was registered as version 1."""
    output = tmp_path_factory.mktemp("model") / "m.onnx"
    assert train.main([*ARGUMENTS, *HOMES, "--output", str(output)]) == 0
    return output


def test_registered_model_is_what_is_served(trained: Path, uri: str, make_client: Callable[..., Any]) -> None:
    """Trained, registered, fetched by alias: the same bytes, and the service's self-test passes."""
    served = make_client(mlflow_tracking_uri=uri, model_name="homes", model_alias="live").get("/ready")
    assert served.status_code == 200
    assert served.json()["sha256"] == hashlib.sha256(trained.read_bytes()).hexdigest()
    assert served.json()["model_version"] == "california-1.0.0"


def test_everything_is_logged(client: Any, trained: Path, tmp_path: Path) -> None:
    """The version has its tags and files, the run its metrics and parameters."""
    digest = hashlib.sha256(trained.read_bytes()).hexdigest()
    version = client.get_model_version("homes", "1")
    assert version.tags == {"sha256": digest, "model_version": "california-1.0.0"}
    run = client.get_run(version.run_id)
    assert run.info.status == "FINISHED"
    assert {file.path for file in client.list_artifacts(version.run_id, "model")} == {f"model/{name}" for name in FILES}
    assert run.data.params["sha256"] == digest
    assert run.data.params["data"] == "synthetic: house_pricing.train.california, 300 blocks"
    wanted = {"mae", "mape", "r2", "held", "cv_mape_mean", "interval_measured", "region/south/mape", "rows_learnt"}
    assert wanted - set(run.data.metrics) == set()
    contract = model.load(trained, 10_000_000, "test").contract
    assert run.data.metrics["mape"] == contract.metrics["mape"]
    back = {name: client_text(client, version.run_id, name, tmp_path) for name in FILES - {"model.onnx"}}
    assert json.loads(back["golden.json"])["sha256"] == digest
    assert back["model.onnx.sha256"] == f"{digest}  model.onnx\n"
    assert back["card.md"] == trained.with_suffix(".md").read_text(encoding="utf-8")


def client_text(client: Any, run_id: str, name: str, folder: Path) -> str:
    return Path(client.download_artifacts(run_id, f"model/{name}", str(folder))).read_text(encoding="utf-8")


def test_second_version_takes_the_alias(
    client: Any, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Training again makes a new version, and the alias points to it."""
    arguments = [*ARGUMENTS, *HOMES, "--output", str(tmp_path / "m.onnx"), "--model-version", "1.1.0"]
    assert train.main(arguments) == 0
    version = client.get_model_version_by_alias("homes", "live")
    assert version.tags["model_version"] == "california-1.1.0"
    assert f"registered as homes version {version.version}, alias live" in capsys.readouterr().out
    assert int(version.version) > 1


def test_alias_stays_when_the_file_comes_back_changed(
    client: Any, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A store that damages the file gets no version and no alias; the run is marked as failed."""
    before = client.get_model_version_by_alias("homes", "live").version
    log = type(client).log_artifacts

    def damage(self: Any, run_id: str, local_dir: str, artifact_path: str | None = None) -> None:
        Path(local_dir, "model.onnx").write_bytes(b"damaged")
        log(self, run_id, local_dir, artifact_path)

    monkeypatch.setattr(type(client), "log_artifacts", damage)
    assert train.main([*ARGUMENTS, *HOMES, "--output", str(tmp_path / "m.onnx")]) == 3
    assert capsys.readouterr().err.splitlines()[0] == "MLflow did not keep the model as it was given."
    assert client.get_model_version_by_alias("homes", "live").version == before
    experiment = client.get_experiment_by_name("homes").experiment_id
    assert {run.info.status for run in client.search_runs([experiment])} == {"FINISHED", "FAILED"}


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("", "It is not set."),
        ("sqlite:///mlruns.db", "It is a sqlite: address; the service fetches"),
        ("http://user:secret@[::1", "It is not an address"),
    ],
)
def test_server_must_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], uri: str, said: str
) -> None:
    """Without the address of a server nothing is trained; three lines, exit code 2, and no password in them."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert train.main([*ARGUMENTS, "--output", str(tmp_path / "m.onnx")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert said in lines[1]
    assert "secret" not in "".join(lines)
    assert list(tmp_path.iterdir()) == []


def test_server_that_does_not_answer_is_said_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody listens: three lines, exit code 3, no password in them, and nothing is trained."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://user:secret@127.0.0.1:{port}")
    for name, value in {**register.CLIENT, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}.items():
        monkeypatch.setenv(name, value)
    assert train.main([*ARGUMENTS, "--output", str(tmp_path / "m.onnx")]) == 3
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert "secret" not in "".join(lines)
    assert list(tmp_path.iterdir()) == []
