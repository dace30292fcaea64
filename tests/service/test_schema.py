"""The request model is the contract's, and its errors are for people."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from house_pricing import schema
from house_pricing.train import generator

from .conftest import FLAT

FEATURES = generator.features(("69", "75"))
REQUEST = schema.request_model(FEATURES)


def faults(body: Any) -> dict[str | None, schema.FieldProblem]:
    text = body if isinstance(body, str) else json.dumps(body)
    with pytest.raises(ValidationError) as caught:
        REQUEST.model_validate_json(text)
    return {fault.field: fault for fault in schema.explain(caught.value, FEATURES)}


@pytest.mark.parametrize("more", [{}, {"rooms": 3.0}, {"land_m2": None}, {"year_built": 1999}, {"surface_m2": 9}])
def test_good_request_is_accepted(more: dict[str, Any]) -> None:
    """Optional fields may be absent or null, limits count as inside, and 3.0 is a whole number."""
    REQUEST.model_validate_json(json.dumps({**FLAT, **more}))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("surface_m2", 8.9, "surface_m2 must be a number from 9 to 1000 m²"),
        ("surface_m2", "62", "surface_m2 must be a number from 9 to 1000 m²"),
        ("surface_m2", True, "surface_m2 must be a number from 9 to 1000 m²"),
        ("surface_m2", float("nan"), "surface_m2 must be a number from 9 to 1000 m²"),
        ("rooms", 2.5, "rooms must be a whole number from 1 to 30"),
        ("rooms", None, "rooms must be a whole number from 1 to 30"),
        ("property_type", "castle", "property_type must be one of apartment, house"),
        ("postal_code", "7501", "postal_code must be text of the form ^[0-9]{5}$, such as 69003"),
        ("energy_class", "H", "energy_class must be one of A, B, C, D, E, F, G"),
        ("year_built", 1200, "year_built must be a whole number from 1500 to 2030"),
    ],
)
def test_fault_names_field_and_range(field: str, value: Any, message: str) -> None:
    """A value that cannot be used is answered with what can."""
    found = faults({**FLAT, field: value})
    assert {name: fault.message for name, fault in found.items()} == {field: message}


def test_fault_carries_unit_and_range_for_programs() -> None:
    """Unit and limits come apart from the sentence too."""
    fault = faults({**FLAT, "surface_m2": 0})["surface_m2"]
    assert (fault.unit, fault.minimum, fault.maximum) == ("m²", 9, 1000)


def test_missing_and_unknown_fields_are_named() -> None:
    """A misspelt field is both: unknown, with the likely name, and missing."""
    request = {("roms" if name == "rooms" else name): value for name, value in FLAT.items()}
    found = faults(request)
    assert found["rooms"].message == "rooms is missing; it must be a whole number from 1 to 30"
    assert found["roms"].message == "unknown field; did you mean rooms?"


@pytest.mark.parametrize("body", ["", "{", "[1]", "3", '{"a" 1}', "[" * 5000])
def test_body_that_is_no_object_is_one_fault(body: str) -> None:
    """Something that is not JSON, or no object, has one fault and no field."""
    assert list(faults(body)) == [None]


def test_long_field_name_is_cut() -> None:
    """A client cannot make an answer as long as it likes."""
    assert [len(name or "") for name in faults({**FLAT, "x" * 5000: 1})] == [100]


def test_what_was_sent_is_not_repeated() -> None:
    """The faults never quote a value."""
    found = faults({**FLAT, "property_type": "s3cret", "surface_m2": 987654})
    assert "s3cret" not in str(found)
    assert "987654" not in str(found)
