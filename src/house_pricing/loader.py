"""Where the model comes from, and getting it in the background until it is there."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from house_pricing import logs, model, registry, schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from house_pricing.model import Model
    from house_pricing.settings import Settings

DEFAULT_MODEL = "models/french-listings.onnx"
LONGEST_PAUSE = 60.0


@dataclass(frozen=True, kw_only=True)
class Served:
    """A model and the form of the requests it understands; swapped as one."""

    model: Model
    request_type: type[schema.Request]


class Loader:
    """Tries until a model has passed its self-test, with growing pauses, in a thread of its own.

    Args:
        open_model: Gets a model or raises `ModelError`.
        log: Told of every attempt.
        pause: Seconds before the second attempt; doubled up to a minute.
    """

    def __init__(self, open_model: Callable[[], Model], log: logs.Log, pause: float = 1.0) -> None:
        self.served: Served | None = None
        self._open_model = open_model
        self._log = log
        self._pause = pause
        self._failure = ""
        self._stop = threading.Event()

    def start(self) -> None:
        """Begin loading."""
        threading.Thread(target=self._run, name="loader", daemon=True).start()

    def stop(self) -> None:
        """Say that the service is ending; requests in hand are still answered."""
        self._stop.set()

    @property
    def state(self) -> str:
        """`starting`, `ready`, `failed` (and trying again) or `stopping`."""
        if self._stop.is_set():
            return "stopping"
        if self.served is not None:
            return "ready"
        return "failed" if self._failure else "starting"

    @property
    def reason(self) -> str:
        """Why the service is not ready, for people."""
        reasons = {"stopping": "The service is stopping.", "starting": "The model is being loaded."}
        return reasons.get(self.state, self._failure)

    @property
    def model_version(self) -> str | None:
        """The version being served, if any."""
        return self.served.model.contract.model_version if self.served else None

    def _run(self) -> None:
        pause = self._pause
        while not self._attempt() and not self._stop.wait(pause):
            pause = min(pause * 2, LONGEST_PAUSE)

    def _attempt(self) -> bool:
        start = time.perf_counter()
        fault = {}
        try:
            loaded = self._open_model()
            self.served = Served(model=loaded, request_type=schema.request_model(loaded.contract.features))
        except model.ModelError as error:
            self._failure = f"No model: {error}"
        except Exception as error:  # a thread that dies silently would leave "starting" for ever
            fault = logs.describe(error)
            self._failure = f"No model: unexpected {fault['error']}"
        else:
            ms = round((time.perf_counter() - start) * 1000)
            self._log.event("info", "model_ready", model_version=self.model_version, source=loaded.source, ms=ms)
            return True
        self._log.event("error", "model_failed", message=self._failure, **fault)
        return False


def model_opener(settings: Settings) -> Callable[[], Model]:
    """The way to the model: MODEL_PATH, else the registry, else the one that ships."""
    limit = settings.model_max_bytes
    if settings.model_path:
        return lambda: model.load(Path(settings.model_path), limit, "MODEL_PATH")
    if settings.mlflow_tracking_uri:
        return lambda: registry.fetch(settings)
    return lambda: model.load(Path(settings.config_dir, DEFAULT_MODEL), limit, "default")
