"""The OpenAPI document: FastAPI's, with the request model of the model that is being served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from house_pricing import auth, problems, schema

if TYPE_CHECKING:
    from fastapi import FastAPI

    from house_pricing.loader import Served

REQUEST, BATCH = "Listing", "Batch"

KEYED: dict[str, Any] = {"security": [{"key": []}]}
METRICS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


def body(name: str) -> dict[str, Any]:
    """A keyed route that reads a request of this schema."""
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {**KEYED, "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of a route that are problem documents."""
    content = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": "Problem", "content": content} for status in statuses}


def document(app: FastAPI, served: Served | None) -> dict[str, Any]:
    """The document as of now; before a model is loaded, its request is any object."""
    reply = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    parts = reply.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    schemas[REQUEST] = schemas[BATCH] = {"type": "object"}
    if served:
        contract = served.model.contract
        schemas[REQUEST] = served.request_type.model_json_schema()
        schemas[REQUEST]["example"] = {feature.name: feature.example for feature in contract.features}
        schemas[BATCH] = served.batch_type.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas[BATCH].pop("$defs")
        schemas[BATCH]["example"] = {"instances": [row.request for row in contract.golden[:3]]}
    problem = schema.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}), Problem=problem)
    parts["securitySchemes"] = {"key": {"type": "apiKey", "in": "header", "name": auth.HEADER}}
    return reply
