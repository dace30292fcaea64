"""Where the model comes from: MODEL_PATH, else the registry or the last good copy of it, else the one that ships."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from house_pricing import model, registry
from house_pricing.lastgood import LastGood

if TYPE_CHECKING:
    from collections.abc import Callable

    from house_pricing.logs import Log
    from house_pricing.settings import Settings

DEFAULT_MODEL = "models/french-listings.onnx"


def model_opener(settings: Settings, log: Log) -> Callable[[], model.Model]:
    """The one way to the model that the settings ask for; it gets a model or raises `ModelError`."""
    limit = settings.model_max_bytes
    if settings.model_path:
        return lambda: model.load(Path(settings.model_path), limit, "MODEL_PATH")
    if settings.mlflow_tracking_uri:
        return lambda: _registered(settings, log)
    return lambda: model.load(Path(settings.config_dir, DEFAULT_MODEL), limit, "default")


def _registered(settings: Settings, log: Log) -> model.Model:
    """The registry's model; where the registry is down or gives a bad file, the last good copy of it.

    A registry that answers and says no (an unknown alias, a wrong password) is not passed over: those are settings.
    """
    if not settings.model_cache_dir:
        return registry.fetch(settings)[0]
    copy = LastGood(settings)
    try:
        found, content = registry.fetch(settings)
    except registry.RefusalError:
        raise
    except model.ModelError as error:
        try:
            kept = copy.load(settings.model_max_bytes)
        except model.ModelError as lost:
            raise model.ModelError(f"{error.why}, {lost.why}", cause=f"{error}; {lost}") from error
        return replace(kept, fallback=error.bare())
    try:
        copy.save(content, found)
    except OSError as error:
        reason = f"MODEL_CACHE_DIR: no copy is kept for a day without the registry: {error.strerror}: {error.filename}"
        log.event("warning", "model_copy", message=reason)
    return found
