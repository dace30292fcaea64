"""Log a trained model to MLflow: metrics, parameters, files, a registered version, and the alias last.

A version's files lie under `model/` of its run: `model.onnx`, `model.onnx.sha256`, `golden.json`, `card.md` and
`evaluation.json`. Its tags `sha256` and `model_version` are what the service compares with. The alias moves only after
the file was read back and has the right digest, so that a failure half-way changes nothing for who follows the alias.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import tempfile
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from house_pricing.registry import DIGEST_TAG, FILE
from house_pricing.train import evaluate, export, learn
from house_pricing.train.dataset import DataError, TrainingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from house_pricing.train.evaluate import Evaluation
    from house_pricing.train.training import Trained

URI = "MLFLOW_TRACKING_URI"
NAME = "house-pricing"
ALIAS = "champion"
FOLDER = "model"
# The client reports its use to its maker, and retries for minutes where nobody listens, unless it is told otherwise.
CLIENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


class RegistryError(TrainingError):
    """The registry did not take the model."""

    exit_code = 3


def connect() -> Any:
    """MLflow's client, once the server has answered it.

    Raises:
        DataError: No server is named, or not one that the service can fetch from.
        RegistryError: The server does not answer.
    """
    uri = os.environ.get(URI, "")
    if _scheme(uri) not in {"http", "https"}:
        why = (
            f"It is {_shown(uri)}; the service fetches through a server's artifact proxy." if uri else "It is not set."
        )
        raise DataError(f"--register needs an MLflow server in {URI}.", why, f"Set {URI}=http://host:port.")
    for name, value in CLIENT.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow import MlflowClient  # noqa: PLC0415 - a second, and only where it is asked for
    except ImportError as error:
        raise DataError("--register needs MLflow's client.", str(error), "Install the group `train`.") from error
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    try:
        client.search_experiments(max_results=1)
    except Exception as error:
        raise _failed(error, "asked for its experiments") from error
    return client


def _scheme(uri: str) -> str:
    try:
        return urlsplit(uri).scheme
    except ValueError:
        return ""


def _shown(uri: str) -> str:
    """An address without what could be a password."""
    if not _scheme(uri):
        return "not an address"
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else f"a {parts.scheme}: address"


def _failed(error: Exception, doing: str) -> RegistryError:
    place = _shown(os.environ.get(URI, ""))
    # the client's message may hold the whole address, with a password
    why = re.sub(
        r"//[^/@\s]*@", "//", str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    )
    return RegistryError(
        f"MLflow at {place} failed when {doing}.", why[:300], "See that it runs and lets you in; try again."
    )


def register(client: Any, trained: Trained, card: str, parameters: Mapping[str, str], name: str, alias: str) -> str:
    """Log everything under the experiment and the registered model `name`; returns the new version.

    Raises:
        RegistryError: MLflow refuses something, or gives back another file; the alias is then where it was.
    """
    digest = hashlib.sha256(trained.content).hexdigest()
    run_id = None
    try:
        run = client.create_run(_experiment(client, name), run_name=trained.contract.model_version)
        run_id = run.info.run_id
        _log(client, run_id, trained, {**parameters, "sha256": digest, **_learnt(trained)})
        with tempfile.TemporaryDirectory() as folder:
            _files(Path(folder), trained, card, digest)
            client.log_artifacts(run_id, folder, FOLDER)
        _read_back(client, run_id, digest)
        version = _version(client, run, trained, digest, name)
        client.set_terminated(run_id)
        client.set_registered_model_alias(name, alias, version)
    except RegistryError:
        _give_up(client, run_id)
        raise
    except Exception as error:
        _give_up(client, run_id)
        raise _failed(error, "given the model") from error
    return str(version)


def _give_up(client: Any, run_id: str | None) -> None:
    if run_id is not None:
        with contextlib.suppress(Exception):  # what failed before is what the user must read
            client.set_terminated(run_id, "FAILED")


def _experiment(client: Any, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name))


def _learnt(trained: Trained) -> dict[str, str]:
    contract = trained.contract
    known = {"name": contract.name, "version": contract.version, "currency": contract.currency}
    return {**known, **{name: str(value) for name, value in {**learn.FOREST, **contract.libraries}.items()}}


def _log(client: Any, run_id: str, trained: Trained, parameters: Mapping[str, str]) -> None:
    from mlflow.entities import Metric, Param  # noqa: PLC0415 - as above

    client.log_batch(
        run_id,
        metrics=[Metric(key, value, 0, 0) for key, value in metrics(trained.evaluation)],
        params=[Param(key, value[:500]) for key, value in parameters.items()],
    )


def metrics(evaluation: Evaluation) -> Iterator[tuple[str, float]]:
    """Every figure under a name that MLflow takes: `mape`, `cv_mape_mean`, `region/bretagne/mape`."""
    for name, rows in zip(("rows_learnt", "rows_calibrated", "rows_tested"), evaluation.sizes, strict=True):
        yield name, float(rows)
    spread = dataclasses.asdict(evaluation.spread)
    yield from ((f"interval_{name}", value) for name, value in spread.items())
    if evaluation.folds:
        for name in ("mae", "mape", "r2"):
            mean, deviation = evaluate.mean_and_deviation(evaluation.folds, name)
            yield f"cv_{name}_mean", mean
            yield f"cv_{name}_sd", deviation
    parts = {("", ""): evaluation.overall}
    parts |= {(kind, name): score for kind, scores in evaluation.segments.items() for name, score in scores.items()}
    for part, score in parts.items():
        prefix = "".join(f"{_plain(word)}/" for word in part if word)
        yield from (
            (f"{prefix}{name}", float(value)) for name, value in dataclasses.asdict(score).items() if value is not None
        )


def _plain(text: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", ascii_only).strip("_")


def _files(folder: Path, trained: Trained, card: str, digest: str) -> None:
    figures = dataclasses.asdict(trained.evaluation)
    texts = {
        f"{FILE}.sha256": f"{digest}  {FILE}\n",
        "golden.json": export.golden_text(trained.contract, digest),
        "card.md": card,
        "evaluation.json": json.dumps(figures, indent=2, ensure_ascii=False) + "\n",
    }
    (folder / FILE).write_bytes(trained.content)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _read_back(client: Any, run_id: str, digest: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        back = Path(client.download_artifacts(run_id, f"{FOLDER}/{FILE}", folder)).read_bytes()
    if hashlib.sha256(back).hexdigest() != digest:
        why = "The file that comes back has another SHA-256."
        raise RegistryError("MLflow did not keep the model as it was given.", why, "Look at its artifact store.")


def _version(client: Any, run: Any, trained: Trained, digest: str, name: str) -> str:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - as above

    if urlsplit(run.info.artifact_uri).scheme != "mlflow-artifacts":
        why = f"It keeps files at {_shown(run.info.artifact_uri)}, which the service does not reach."
        raise RegistryError("MLflow's artifact proxy is off.", why, "Start it with --serve-artifacts.")
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    contract = trained.contract
    version = client.create_model_version(
        name,
        f"{run.info.artifact_uri}/{FOLDER}",
        run.info.run_id,
        tags={DIGEST_TAG: digest, "model_version": contract.model_version},
        description=f"{contract.data}. MAPE {contract.metrics['mape']:.1%}.",
        await_creation_for=0,
    )
    return str(version.version)
