"""Getting the model in the background until it is there, and another one when asked to."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from house_pricing import logs, model, schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from house_pricing.model import Model

LONGEST_PAUSE = 60.0
STOPPING = "The service is stopping."


@dataclass(frozen=True, kw_only=True)
class Served:
    """A model and the form of the requests it understands; swapped as one."""

    model: Model
    request_type: type[schema.Request]
    batch_type: type[schema.Request]
    loaded_at: str


class Loader:
    """Loads models, one after the other, in a thread of its own.

    At the start it tries until a model has passed its self-test, with growing pauses. It goes on trying while only
    the last good copy could be had. A model that is being served is given up only for one that has passed.

    Args:
        open_model: Gets a model or raises `ModelError`.
        log: Told of every attempt.
        max_batch: How many homes a batch may hold.
        pause: Seconds before the second attempt; doubled up to a minute.
    """

    def __init__(
        self, open_model: Callable[[], Model], log: logs.Log, *, max_batch: int = 1000, pause: float = 1.0
    ) -> None:
        self.served: Served | None = None
        self.loads = Counter(ok=0, failed=0)
        self._open_model = open_model
        self._log = log
        self._max_batch = max_batch
        self._pause = pause
        self._failure: model.ModelError | None = None
        self._stopping = False
        # Safe in a signal handler, unlike a lock. None ends the thread.
        self._asked: queue.SimpleQueue[Future[Served] | None] = queue.SimpleQueue()

    def start(self) -> None:
        """Begin loading."""
        threading.Thread(target=self._run, name="loader", daemon=True).start()

    def stop(self) -> None:
        """Say that the service is ending; requests in hand are still answered."""
        self._stopping = True
        self._asked.put(None)

    def reload(self) -> Future[Served]:
        """Load anew, after everything that was asked before; the future holds a `ModelError` if the old one stays."""
        wish: Future[Served] = Future()
        self._asked.put(wish)
        if self._stopping:
            _refuse(wish)
        return wish

    @property
    def state(self) -> str:
        """`starting`, `ready`, `failed` (and trying again) or `stopping`."""
        if self._stopping:
            return "stopping"
        if self.served is not None:
            return "ready"
        return "failed" if self._failure else "starting"

    @property
    def reason(self) -> str:
        """Why the service is not ready, for strangers too: where that was seen stays in the log."""
        if self.state == "failed" and self._failure:
            return f"No model: {self._failure.why}. The log says more."
        return STOPPING if self._stopping else "The model is being loaded."

    @property
    def model_version(self) -> str | None:
        """The version being served, if any."""
        return self.served.model.contract.model_version if self.served else None

    def _run(self) -> None:
        pause = self._pause
        self._attempt()
        while not self._stopping:
            settled = self.served is not None and not self.served.model.fallback
            try:
                wish = self._asked.get(timeout=None if settled else pause)
            except queue.Empty:
                pause = min(pause * 2, LONGEST_PAUSE)
                self._attempt()
            else:
                if wish is not None and not self._stopping and wish.set_running_or_notify_cancel():
                    self._grant(wish)
                elif wish is not None:
                    _refuse(wish)
        while not self._asked.empty():
            _refuse(self._asked.get())

    def _grant(self, wish: Future[Served]) -> None:
        if self._attempt() and self.served is not None:
            wish.set_result(self.served)
        else:
            wish.set_exception(self._failure)

    def _attempt(self) -> bool:
        """Whether there is a new model to serve; if not, `_failure` says why."""
        start = time.perf_counter()
        fault = {}
        try:
            found = self._open_model()
            if not (found.fallback and self.served):
                self._serve(found, start)
                return True
            self._failure = found.fallback
        except model.ModelError as error:
            self._failure = error.bare()
        except Exception as error:  # a thread that dies silently would leave "starting" for ever
            fault = logs.describe(error)
            self._failure = model.ModelError("something unexpected happened", cause=fault["error"])
        self.loads["failed"] += 1
        level = "warning" if self.served else "error"
        self._log.event(level, "model_failed", message=str(self._failure), model_version=self.model_version, **fault)
        return False

    def _serve(self, found: Model, start: float) -> None:
        request_type = schema.request_model(found.contract.features)
        batch_type = schema.batch_model(request_type, self._max_batch)
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self.served = Served(model=found, request_type=request_type, batch_type=batch_type, loaded_at=now)
        self.loads["ok"] += 1
        ms = round((time.perf_counter() - start) * 1000)
        about = {"model_version": self.model_version, "source": found.source, "sha256": found.sha256, "ms": ms}
        if found.fallback:
            self._log.event("warning", "model_ready", **about, message=str(found.fallback))
        else:
            self._log.event("info", "model_ready", **about)


def _refuse(wish: Future[Served] | None) -> None:
    if wish is not None:
        try:
            wish.set_exception(model.ModelError(STOPPING))
        except InvalidStateError:
            return  # its client left, or it was answered already
