"""From a request to the row the model reads."""

from __future__ import annotations

import math
from typing import Any

import pytest

from house_pricing.features import RARE, Feature, encode

SURFACE = Feature(name="surface", type="number", description="d", minimum=9, maximum=100, example=20, unit="m²")
ROOMS = Feature(name="rooms", type="integer", description="d", minimum=1, maximum=9, example=2)
KIND = Feature(name="kind", type="category", description="d", categories=("flat", "house"), example="flat")
PLACE = Feature(
    name="place", type="category", description="d", categories=("69", "75"), example="69003", open=True, prefix=2,
    pattern="^[0-9]{5}$",
)  # fmt: skip
LAND = Feature(name="land", type="number", description="d", minimum=0, maximum=9, example=1, required=False, default=0)
YEAR = Feature(name="year", type="integer", description="d", minimum=1, maximum=9, example=1, required=False)
ALL = (SURFACE, ROOMS, KIND, PLACE, LAND, YEAR)


def test_row_has_the_order_of_the_features() -> None:
    """Numbers stay, categories become their place, whatever the order of the request."""
    request = {"year": 3, "land": 2, "place": "75011", "kind": "house", "rooms": 2, "surface": 20.5}
    assert encode(ALL, request) == [20.5, 2.0, 1.0, 1.0, 2.0, 3.0]


def test_absent_field_gets_its_default_or_is_missing() -> None:
    """A default stands in; without one the model is told that the value is missing."""
    row = encode((LAND, YEAR), {})
    assert row[0] == 0.0
    assert math.isnan(row[1])


def test_unknown_category_of_an_open_feature_is_rare() -> None:
    """A place the training hardly saw is accepted as a rare one."""
    assert encode((PLACE,), {"place": "97400"}) == [RARE]


@pytest.mark.parametrize(
    ("feature", "value"), [(KIND, "castle"), (SURFACE, 8), (SURFACE, math.nan), (SURFACE, "20"), (ROOMS, 10)]
)
def test_value_outside_the_contract_is_refused(feature: Feature, value: Any) -> None:
    """What the features do not describe never reaches the model."""
    with pytest.raises(ValueError, match=f"{feature.name} must be"):
        encode((feature,), {feature.name: value})


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Not a name"},
        {"minimum": 5, "maximum": 5},
        {"minimum": None},
        {"example": 1000},
        {"default": -1},
        {"type": "category"},
        {"type": "category", "categories": ("a", "a"), "example": "a"},
    ],
)
def test_feature_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    """A feature is checked when it is made: name, range, categories, and its own example."""
    with pytest.raises(ValueError, match=r".+"):
        Feature(**{"name": "x", "type": "number", "description": "", "minimum": 0, "maximum": 9, "example": 1, **wrong})


def test_expected_is_a_sentence_for_people() -> None:
    """Range and unit, or the choices, or the form, as errors say them."""
    assert SURFACE.expected() == "a number from 9 to 100 m²"
    assert ROOMS.expected() == "a whole number from 1 to 9"
    assert KIND.expected() == "one of flat, house"
    assert PLACE.expected() == "text of the form ^[0-9]{5}$, such as 69003"
