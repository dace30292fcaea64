"""What goes over the wire: the request model, made from a model's features, and the answers."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from house_pricing.features import Feature


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Finite = Annotated[float, Field(allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(_whole)]  # 3.0 is a whole number in JSON, whatever its type in Python


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


class FieldProblem(BaseModel):
    """One fault of a request; numbers carry the range that is accepted."""

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


def _field(feature: Feature) -> tuple[Any, Any]:
    about: dict[str, Any] = {"description": feature.description, "examples": [feature.example]}
    if feature.unit:
        about["json_schema_extra"] = {"unit": feature.unit}
    kind: Any
    if feature.type != "category":
        about |= {"ge": feature.minimum, "le": feature.maximum}
        kind = Whole if feature.type == "integer" else Finite
    elif feature.open:
        kind = str
        about |= {"pattern": feature.pattern, "max_length": 100}
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
