"""The application: its routes, what surrounds them, and what they share."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException

from house_pricing import __version__, auth, logs, openapi, problems, schema
from house_pricing.loader import Loader
from house_pricing.metrics import Metrics
from house_pricing.middleware import RequestLog
from house_pricing.origin import model_opener
from house_pricing.problems import ProblemError
from house_pricing.routes import NAME, Service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi.responses import Response

    from house_pricing.settings import Settings


def create_app(settings: Settings, log: logs.Log | None = None) -> FastAPI:
    """The application; the model is loaded when it starts.

    Args:
        settings: What the service was told.
        log: Where lines go; by default where the settings say. Closing it is the caller's business.

    Raises:
        SettingsError: The key file or a key cannot be used.
    """
    gate = auth.Gate(settings)
    log = log or logs.open_log(settings)
    loader = Loader(model_opener(settings, log), log, max_batch=settings.max_batch)
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        log.event("info", "start", version=__version__, api_env=settings.api_env, port=settings.port)
        if gate.is_open:
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
    app.state.gate = gate
    _add_routes(app, Service(settings, gate, loader, metrics))
    _add_problems(app)
    app.openapi = lambda: openapi.document(app, loader.served)  # type: ignore[method-assign]
    app.add_middleware(RequestLog, log=log, metrics=metrics, loader=loader)
    return app


def _add_routes(app: FastAPI, service: Service) -> None:
    failures = openapi.failures
    app.post(
        "/predict",
        response_model=schema.Prediction,
        responses=failures(401, 408, 413, 422, 429, 500, 503),
        openapi_extra=openapi.body(openapi.REQUEST),
    )(service.predict)
    app.post(
        "/predict/batch",
        response_model=schema.BatchPrediction,
        responses=failures(401, 408, 413, 422, 429, 500, 503),
        openapi_extra=openapi.body(openapi.BATCH),
    )(service.batch)
    for path in ("/model", "/model/metadata"):
        app.get(
            path,
            response_model=schema.ModelInfo,
            responses=failures(401, 429, 503),
            openapi_extra=openapi.KEYED,
        )(service.describe)
    app.post(
        "/model/reload",
        response_model=schema.Reloaded,
        responses=failures(401, 429, 503),
        openapi_extra=openapi.KEYED,
    )(service.reload)
    app.get("/health")(service.health)
    app.get("/ready", response_model=schema.Ready, responses=failures(503))(service.ready)
    app.get("/metrics", responses=openapi.METRICS)(service.metrics)
    app.get("/")(service.index)


def _add_problems(app: FastAPI) -> None:
    async def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)  # noqa: S101 - how it is registered below
        return problems.response(request.scope, error)

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - how it is registered below
        return problems.response(request.scope, ProblemError(error.status_code, error.detail, headers=error.headers))

    app.add_exception_handler(ProblemError, on_problem)
    app.add_exception_handler(HTTPException, on_http)
