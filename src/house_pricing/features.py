"""What a model asks of a request, and how a request becomes the row of numbers it reads. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RARE = -1.0
"""The code of every category outside the list of an open feature: the model learnt it from the rare ones."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One field of a request, as the model file describes it.

    Attributes:
        name: The field's name in the request.
        type: `number`, `integer` or `category`.
        description: One line for people.
        example: A value that is accepted.
        unit: What a number counts.
        minimum: Least accepted number.
        maximum: Greatest accepted number.
        categories: The known values; the model reads their place in this list.
        open: Whether a category outside the list is accepted, as a rare one.
        prefix: How many leading characters of the value make the category; all if unset.
        pattern: What the text of an open category must match.
        required: Whether the request must hold the field.
        default: The value of an absent optional field; none: the model is told that it is missing.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid", "strict": True}

    name: str
    type: Literal["number", "integer", "category"]
    description: str
    example: int | float | str
    unit: str | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    categories: tuple[str, ...] = ()
    open: bool = False
    prefix: int | None = None
    pattern: str | None = None
    required: bool = True
    default: int | float | str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", self.name):
            raise ValueError(f"feature name {self.name!r} is not a lower-case identifier")
        if self.type == "category":
            if not (self.categories or self.open) or len(set(self.categories)) != len(self.categories):
                raise ValueError(f"{self.name}: a category needs a list of different values")
        elif self.minimum is None or self.maximum is None or not self.minimum < self.maximum:
            raise ValueError(f"{self.name}: a number needs a minimum below its maximum")
        for value in (self.example, self.default):
            encode_value(self, value)

    def expected(self) -> str:
        """What the field must hold, as the end of a sentence that begins with its name."""
        if self.type == "category":
            if not self.open:
                return f"one of {', '.join(self.categories)}"
            return f"text{f' of the form {self.pattern}' if self.pattern else ''}, such as {self.example}"
        kind = "a whole number" if self.type == "integer" else "a number"
        unit = f" {self.unit}" if self.unit else ""
        return f"{kind} from {self.minimum:g} to {self.maximum:g}{unit}"


def encode_value(feature: Feature, value: Any) -> float:
    """One value as the model reads it: a number, a category's place, `RARE`, or NaN where it is missing.

    Raises:
        ValueError: The value is not one the feature accepts.
    """
    if value is None:
        return math.nan
    if feature.type == "category":
        category = str(value)[: feature.prefix]
        if category in feature.categories:
            return float(feature.categories.index(category))
        if feature.open:
            return RARE
    elif not isinstance(value, str) and (feature.minimum or 0) <= value <= (feature.maximum or 0):
        return float(value)
    raise ValueError(f"{feature.name} must be {feature.expected()}")


def encode(features: Sequence[Feature], request: Mapping[str, Any]) -> list[float]:
    """The request as the model's input row, in the order of its features; unknown fields are not looked at."""
    return [encode_value(feature, request.get(feature.name, feature.default)) for feature in features]
