"""The OpenAPI document: FastAPI's, with the request model of the model that is being served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from house_pricing import auth, problems, schema

if TYPE_CHECKING:
    from fastapi import FastAPI

    from house_pricing.loader import Served

REQUEST = "Listing"

PREDICT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{REQUEST}"}}},
    },
    "security": [{"key": []}],
}


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of a route that are problem documents."""
    content = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": "Problem", "content": content} for status in statuses}


def document(app: FastAPI, served: Served | None) -> dict[str, Any]:
    """The document as of now; before a model is loaded, its request is any object."""
    reply = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    parts = reply.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    schemas[REQUEST] = {"type": "object"}
    if served:
        schemas[REQUEST] = served.request_type.model_json_schema()
        features = served.model.contract.features
        schemas[REQUEST]["example"] = {feature.name: feature.example for feature in features}
    problem = schema.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}), Problem=problem)
    parts["securitySchemes"] = {"key": {"type": "apiKey", "in": "header", "name": auth.HEADER}}
    return reply
