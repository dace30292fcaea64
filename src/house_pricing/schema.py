"""What goes over the wire: the request model, made from a model's features, and the answers."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from house_pricing.contract import Spread
from house_pricing.features import Feature

MAX_FAULTS = 100


def _whole(value: object) -> object:
    """3.0 is a whole number in JSON, whatever its type in Python."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Interval(BaseModel):
    """The range that held the true price for `coverage` of the homes the model was measured on."""

    low: float
    high: float
    coverage: float


class Prediction(BaseModel):
    """The answer of `POST /predict`."""

    predicted_price: float
    currency: str
    interval: Interval
    model_version: str
    processing_time_ms: float


class Price(BaseModel):
    """One of the answers of a batch."""

    predicted_price: float
    interval: Interval


class BatchPrediction(BaseModel):
    """The answer of `POST /predict/batch`: `predictions` in the order of `instances`."""

    predictions: list[Price]
    currency: str
    model_version: str
    processing_time_ms: float


class ModelInfo(BaseModel):
    """The answer of `GET /model`: what the model file says about itself, and where it came from."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    name: str
    version: str
    model_version: str
    currency: str
    sha256: str
    source: str
    fallback: str
    loaded_at: str
    features: list[Feature]
    interval: Spread
    metrics: dict[str, Any]
    data: str
    trained_at: str | None


class Ready(BaseModel):
    """The answer of `GET /ready`; `fallback` says why an older copy is served, where one is."""

    model_config = ConfigDict(protected_namespaces=())

    status: Literal["ready"]
    model_version: str
    sha256: str
    fallback: str | None = None


class Reloaded(BaseModel):
    """The answer of `POST /model/reload`."""

    model_config = ConfigDict(protected_namespaces=())

    status: Literal["reloaded", "unchanged"]
    model_version: str
    sha256: str
    source: str
    previous: str | None
    processing_time_ms: float


class FieldProblem(BaseModel):
    """One fault of a request; numbers carry the range that is accepted. In a batch, `row` counts from 0."""

    row: int | None = None
    field: str | None = None
    message: str
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[FieldProblem] | None = None


class Request(BaseModel):
    """Base of every request model: strict types, and a field nobody knows is a mistake, not noise."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def request_model(features: tuple[Feature, ...]) -> type[Request]:
    """The pydantic model of a request with these features."""
    fields: dict[str, Any] = {feature.name: _field(feature) for feature in features}
    return create_model("Listing", __base__=Request, **fields)


def batch_model(listing: type[Request], max_batch: int) -> type[Request]:
    """The pydantic model of several requests at once."""
    rows = Annotated[list[listing], Field(min_length=1, max_length=max_batch)]  # type: ignore[valid-type]
    return create_model("Batch", __base__=Request, instances=(rows, ...))


def _field(feature: Feature) -> tuple[Any, Any]:
    about: dict[str, Any] = {"description": feature.description, "examples": [feature.example]}
    if feature.unit:
        about["json_schema_extra"] = {"unit": feature.unit}
    kind: Any
    if feature.type == "number":
        kind = Annotated[float, Field(allow_inf_nan=False, ge=feature.minimum, le=feature.maximum)]
    elif feature.type == "integer":  # the bounds stand before the validator, or the document would not show them
        kind = Annotated[int, Field(ge=feature.minimum, le=feature.maximum), BeforeValidator(_whole)]
    elif feature.open:
        kind = Annotated[str, Field(pattern=feature.pattern, max_length=100)]
    else:
        kind = Literal[feature.categories]
    if feature.required:
        return Annotated[kind, Field(**about)], ...
    return Annotated[kind | None, Field(**about)], feature.default


def explain(error: ValidationError, features: tuple[Feature, ...]) -> list[FieldProblem]:
    """Every fault in the words of the contract, one a field; what was sent is never repeated."""
    known = {feature.name: feature for feature in features}
    problems: dict[str | None, FieldProblem] = {}
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        name = str(fault["loc"][0]) if fault["loc"] else None
        problems.setdefault(name, _explain_one(name, fault, known))
    return list(problems.values())


def explain_batch(error: ValidationError, features: tuple[Feature, ...], max_batch: int) -> list[FieldProblem]:
    """The same for a batch, one a row and field and no more than a hundred."""
    known = {feature.name: feature for feature in features}
    problems: dict[tuple[object, ...], FieldProblem] = {}
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        place = fault["loc"][1:3]
        if place not in problems and len(problems) < MAX_FAULTS:
            problems[place] = _explain_batch_one(fault, known, max_batch)
    return list(problems.values())


def _explain_batch_one(fault: Any, known: dict[str, Feature], max_batch: int) -> FieldProblem:
    if fault["loc"][:1] == ("instances",) and len(fault["loc"]) > 1:
        row = int(fault["loc"][1])
        name = str(fault["loc"][2]) if len(fault["loc"]) > 2 else None  # noqa: PLR2004 - instances, row, field
        if name is None:
            return FieldProblem(row=row, message=f"row {row}: must be a JSON object")
        found = _explain_one(name, fault, known)
        return found.model_copy(update={"row": row, "message": f"row {row}: {found.message}"})
    if fault["type"] == "json_invalid" or not fault["loc"]:
        return _explain_one(None, fault, known)
    if fault["loc"][0] == "instances":
        message = f"instances must be a list of 1 to {max_batch} objects"
        return FieldProblem(field="instances", message=message, minimum=1, maximum=max_batch)
    return FieldProblem(field=str(fault["loc"][0])[:100], message="unknown field; the rows belong in instances")


def _explain_one(name: str | None, fault: Any, known: dict[str, Feature]) -> FieldProblem:
    if name is None:
        message = fault["msg"] if fault["type"] == "json_invalid" else "the body must be a JSON object"
        return FieldProblem(field=None, message=message)
    if name not in known:
        from difflib import get_close_matches  # noqa: PLC0415 - only needed for a mistake

        near = get_close_matches(name[:100], known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return FieldProblem(field=name[:100], message=f"unknown field{hint}")
    feature = known[name]
    begin = "is missing; it must be" if fault["type"] == "missing" else "must be"
    return FieldProblem(
        field=name,
        message=f"{name} {begin} {feature.expected()}",
        unit=feature.unit,
        minimum=feature.minimum,
        maximum=feature.maximum,
    )
