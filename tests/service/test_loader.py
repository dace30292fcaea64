"""The model arrives in the background, sooner or later, and everybody can see how it stands."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from house_pricing import model, registry
from house_pricing.loader import Loader
from house_pricing.origin import model_opener
from house_pricing.settings import Settings

from .conftest import CONFIG, SHIPPED, ReadableLog, saved, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def shipped_model() -> model.Model:
    return model.load(SHIPPED, 10_000_000, "default")


def test_states_follow_each_other(log: ReadableLog) -> None:
    """Starting, failed with the reason, ready without anybody's help, stopping."""
    answers: list[Any] = [model.ModelError("not yet"), RuntimeError("s3cret"), shipped_model()]
    gate = threading.Semaphore(0)

    def open_model() -> model.Model:
        gate.acquire()
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, model.Model)
        return answer

    loader = Loader(open_model, log, pause=0.001)
    loader.start()
    assert (loader.state, loader.model_version) == ("starting", None)
    gate.release()
    wait_until(lambda: loader.state == "failed")
    assert loader.reason == "No model: not yet. The log says more."
    gate.release()
    wait_until(lambda: loader.reason == "No model: something unexpected happened. The log says more.")
    gate.release()
    wait_until(lambda: loader.state == "ready")
    assert loader.model_version == "french-listings-1.0.0"
    loader.stop()
    assert (loader.state, loader.reason) == ("stopping", "The service is stopping.")
    wait_until(lambda: log.lines("model_ready"))
    assert [line["level"] for line in log.lines("model_failed")] == ["error", "error"]
    assert "s3cret" not in log.text()


def test_stop_ends_the_attempts(log: ReadableLog) -> None:
    """A loader that waits for its next attempt ends at once."""

    def open_model() -> model.Model:
        raise model.ModelError("never")

    loader = Loader(open_model, log, pause=1000)
    loader.start()
    wait_until(lambda: loader.state == "failed")
    loader.stop()
    wait_until(lambda: not any(thread.name == "loader" for thread in threading.enumerate()))


def test_model_path_comes_before_the_registry(tmp_path: Path, shipped: bytes, log: ReadableLog) -> None:
    """An explicit file wins over MLflow."""
    path = saved(tmp_path, shipped)
    settings = Settings(model_path=str(path), mlflow_tracking_uri="http://mlflow")
    assert model_opener(settings, log)().source == f"MODEL_PATH {path}"


def test_registry_comes_before_the_default(monkeypatch: pytest.MonkeyPatch, log: ReadableLog) -> None:
    """A tracking address that is set is not ignored."""
    monkeypatch.setattr(registry, "fetch", lambda settings: (settings.model_alias, b""))
    settings = Settings(mlflow_tracking_uri="http://mlflow", config_dir=str(CONFIG))
    assert model_opener(settings, log)() == "champion"  # type: ignore[comparison-overlap]


def test_default_is_the_shipped_model(log: ReadableLog) -> None:
    """With nothing set, the model in the image is served."""
    assert model_opener(Settings(config_dir=str(CONFIG)), log)().source.startswith("default ")
