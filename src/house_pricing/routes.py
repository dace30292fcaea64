"""What each route answers."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from fastapi import Request  # noqa: TC002 - FastAPI reads the annotation
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError

from house_pricing import __version__, contract, features, limits, metrics, model, schema
from house_pricing.problems import ProblemError

if TYPE_CHECKING:
    from house_pricing.auth import Gate
    from house_pricing.loader import Loader, Served
    from house_pricing.settings import Settings

NAME = "house-pricing-api"
ON_LOOP_BYTES = 8_192  # about fifty homes, a millisecond; a larger batch is worked on in a thread
SHOWN_FAULTS = 3


class Service:
    """The routes and what they share. One object per application; nothing lives in the module.

    Args:
        settings: What the service was told.
        gate: Lets requests in.
        loader: Holds the model.
        counters: Counts the homes priced.
    """

    def __init__(self, settings: Settings, gate: Gate, loader: Loader, counters: metrics.Metrics) -> None:
        self._settings = settings
        self._gate = gate
        self._loader = loader
        self._counters = counters

    async def index(self, request: Request) -> JSONResponse:
        """What this is, and where to go next."""
        state, version = self._loader.state, self._loader.model_version
        routes = [
            f"{method} {route.path}"
            for route in request.app.routes
            if getattr(route, "include_in_schema", False) and route.path != "/"
            for method in sorted(route.methods)
        ]
        about = {"service": NAME, "version": __version__, "state": state, "model_version": version}
        return JSONResponse({**about, "routes": routes})

    async def health(self) -> JSONResponse:
        """The process is alive. Says nothing about the model."""
        return JSONResponse({"status": "alive"})

    async def ready(self) -> JSONResponse:
        """A model has passed its self-test and the service is not stopping."""
        served = self._loader.served
        if self._loader.state != "ready" or served is None:
            raise ProblemError(503, self._loader.reason)
        fallback = {"fallback": served.model.fallback.why} if served.model.fallback else {}
        return JSONResponse({"status": "ready", **_identity(served), **fallback})

    async def metrics(self) -> Response:
        """Counters for Prometheus."""
        return Response(self._counters.render(self._loader), media_type=metrics.MEDIA_TYPE)

    async def predict(self, request: Request) -> Response:
        """Price one home."""
        start = time.perf_counter()
        self._gate.admit(request)
        served = self._served()
        body = await limits.read_body(request, self._settings.max_body_bytes)
        about = served.model.contract
        try:
            listing = served.request_type.model_validate_json(body)
        except ValidationError as error:
            raise _refusal(schema.explain(error, about.features)) from None
        estimate = served.model.predict([features.encode(about.features, vars(listing))])[0]
        self._counters.predictions[about.model_version] += 1
        return _answer(_price(estimate, about), about, start)

    async def batch(self, request: Request) -> Response:
        """Price several homes in one call of the model."""
        start = time.perf_counter()
        self._gate.admit(request)
        served = self._served()
        body = await limits.read_body(request, self._settings.max_body_bytes)
        if len(body) <= ON_LOOP_BYTES:
            count, answer = self._price_batch(served, body, start)
        else:
            count, answer = await asyncio.to_thread(self._price_batch, served, body, start)
        self._counters.predictions[served.model.contract.model_version] += count
        return answer

    async def describe(self, request: Request) -> JSONResponse:
        """The model being served: what its file says about itself, and where it came from."""
        self._gate.admit(request)
        served = self._served()
        about = json.loads(contract.dump(served.model.contract))
        about["interval"] = about.pop("spread")
        for name in ("format", "golden", "tolerance"):
            del about[name]
        found = served.model
        origin = {"source": found.source, "fallback": str(found.fallback or ""), "loaded_at": served.loaded_at}
        return JSONResponse({**about, **_identity(served), **origin})

    async def reload(self, request: Request) -> JSONResponse:
        """Load the model anew; the old one serves until the new one has passed its self-test, and on if it fails."""
        start = time.perf_counter()
        self._gate.admit(request)
        before = self._loader.served
        try:
            served = await asyncio.wrap_future(self._loader.reload())
        except model.ModelError as error:
            kept = f"{before.model.contract.model_version} goes on being served." if before else "There is none."
            raise ProblemError(503, f"No new model: {error}. {kept}") from None
        same = before is not None and before.model.sha256 == served.model.sha256
        previous = before.model.contract.model_version if before else None
        outcome = {"status": "unchanged" if same else "reloaded", **_identity(served), "source": served.model.source}
        return JSONResponse({**outcome, "previous": previous, "processing_time_ms": _since(start)})

    def _served(self) -> Served:
        served = self._loader.served
        if served is None:
            raise ProblemError(503, self._loader.reason, headers={"Retry-After": "5"})
        return served

    def _price_batch(self, served: Served, body: bytes, start: float) -> tuple[int, Response]:
        about = served.model.contract
        try:
            instances = vars(served.batch_type.model_validate_json(body))["instances"]
        except ValidationError as error:
            raise _refusal(schema.explain_batch(error, about.features, self._settings.max_batch)) from None
        rows = [features.encode(about.features, vars(listing)) for listing in instances]
        prices = [_price(estimate, about) for estimate in served.model.predict(rows)]
        return len(rows), _answer({"predictions": prices}, about, start)


def _identity(served: Served) -> dict[str, str]:
    return {"model_version": served.model.contract.model_version, "sha256": served.model.sha256}


def _price(estimate: model.Estimate, about: contract.Contract) -> dict[str, Any]:
    low, high = round(estimate.low, 2), round(estimate.high, 2)
    interval = {"low": low, "high": high, "coverage": about.spread.coverage}
    return {"predicted_price": round(estimate.price, 2), "interval": interval}


def _answer(content: dict[str, Any], about: contract.Contract, start: float) -> Response:
    same = {"currency": about.currency, "model_version": about.model_version, "processing_time_ms": _since(start)}
    return Response(json.dumps({**content, **same}), media_type="application/json")


def _since(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 3)


def _refusal(faults: list[schema.FieldProblem]) -> ProblemError:
    shown = "; ".join(fault.message for fault in faults[:SHOWN_FAULTS])
    return ProblemError(422, shown + ("; …" if len(faults) > SHOWN_FAULTS else ""), errors=faults)
