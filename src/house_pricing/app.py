"""The HTTP side: routes, and what they answer."""

from __future__ import annotations

import json
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from house_pricing import __version__, auth, features, logs, openapi, problems, schema
from house_pricing.loader import Loader, Served, model_opener
from house_pricing.middleware import RequestLog
from house_pricing.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from house_pricing.settings import Settings

NAME = "house-pricing-api"


class Service:
    """The routes and what they share. One object per application; nothing lives in the module.

    Args:
        settings: What the service was told.
        keys: The accepted keys; none where AUTH=off.
        loader: Holds the model.
    """

    def __init__(self, settings: Settings, keys: auth.Keys | None, loader: Loader) -> None:
        self._settings = settings
        self._keys = keys
        self.loader = loader

    async def index(self) -> JSONResponse:
        """What this is, and where to go next."""
        routes = ["POST /predict", "GET /health", "GET /ready"]
        state, version = self.loader.state, self.loader.model_version
        about = {"service": NAME, "version": __version__, "state": state, "model_version": version}
        return JSONResponse({**about, "routes": routes})

    async def health(self) -> JSONResponse:
        """The process is alive. Says nothing about the model."""
        return JSONResponse({"status": "alive"})

    async def ready(self) -> JSONResponse:
        """A model has passed its self-test and the service is not stopping."""
        served = self.loader.served
        if self.loader.state != "ready" or served is None:
            raise ProblemError(503, self.loader.reason)
        model = served.model
        about = {"model_version": model.contract.model_version, "sha256": model.sha256}
        return JSONResponse({"status": "ready", **about, "source": model.source})

    async def predict(self, request: Request) -> Response:
        """Price one home."""
        start = time.perf_counter()
        if self._keys is not None and not self._keys.accept(request.headers.get(auth.HEADER)):
            scheme = {"WWW-Authenticate": f'ApiKey realm="{NAME}", header="{auth.HEADER}"'}
            raise ProblemError(401, f"A valid key is needed in the header {auth.HEADER}.", headers=scheme)
        served = self.loader.served
        if served is None:
            raise ProblemError(503, self.loader.reason, headers={"Retry-After": "5"})
        listing = _parse(served, await _body(request, self._settings.max_body_bytes))
        contract = served.model.contract
        estimate = served.model.predict([features.encode(contract.features, listing)])[0]
        answer = {
            "predicted_price": round(estimate.price, 2),
            "currency": contract.currency,
            "interval": {
                "low": round(estimate.low, 2),
                "high": round(estimate.high, 2),
                "coverage": contract.spread.coverage,
            },
            "model_version": contract.model_version,
            "processing_time_ms": round((time.perf_counter() - start) * 1000, 3),
        }
        return Response(json.dumps(answer), media_type="application/json")


def create_app(settings: Settings, log: logs.Log | None = None) -> FastAPI:
    """The application; the model is loaded when it starts.

    Args:
        settings: What the service was told.
        log: Where lines go; by default where the settings say. Closing it is the caller's business.

    Raises:
        SettingsError: The key file or a key cannot be used.
    """
    keys = auth.read_keys(settings)
    log = log or logs.open_log(settings)
    loader = Loader(model_opener(settings), log)
    service = Service(settings, keys, loader)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        log.event("info", "start", version=__version__, api_env=settings.api_env, port=settings.port)
        if keys is None:
            log.event("warning", "auth_off", message="AUTH=off: predictions are served without a key")
        loader.start()
        yield
        loader.stop()
        log.event("info", "stop")

    is_open = settings.api_env != "production"
    app = FastAPI(
        title=NAME,
        version=__version__,
        description="The price of a home, with the range it can be trusted to.",
        docs_url="/docs" if is_open else None,
        redoc_url=None,
        openapi_url="/openapi.json" if is_open else None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.loader = loader
    _add_routes(app, service)
    app.openapi = lambda: openapi.document(app, loader.served)  # type: ignore[method-assign]
    app.add_middleware(RequestLog, log=log, loader=loader)
    return app


def _add_routes(app: FastAPI, service: Service) -> None:
    app.get("/")(service.index)
    app.get("/health")(service.health)
    app.get("/ready", responses=openapi.failures(503))(service.ready)
    app.post(
        "/predict",
        response_model=schema.Prediction,
        responses=openapi.failures(401, 413, 422, 500, 503),
        openapi_extra=openapi.PREDICT,
    )(service.predict)

    async def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)  # noqa: S101 - how it is registered below
        return problems.response(request.scope, error)

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - how it is registered below
        return problems.response(request.scope, ProblemError(error.status_code, error.detail, headers=error.headers))

    app.add_exception_handler(ProblemError, on_problem)
    app.add_exception_handler(HTTPException, on_http)


async def _body(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise ProblemError(413, f"The body is larger than {limit} bytes.", headers={"Connection": "close"})
    return bytes(body)


def _parse(served: Served, body: bytes) -> dict[str, object]:
    try:
        return served.request_type.model_validate_json(body).model_dump()
    except ValidationError as error:
        faults = schema.explain(error, served.model.contract.features)
        detail = "; ".join(fault.message for fault in faults[:3]) + ("; …" if len(faults) > 3 else "")  # noqa: PLR2004
        raise ProblemError(422, detail, errors=faults) from None
