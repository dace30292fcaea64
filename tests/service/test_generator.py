"""Synthetic listings that look like listings."""

from __future__ import annotations

import statistics

from house_pricing import schema
from house_pricing.train import generator

FIRST = {
    "surface_m2": 54,
    "rooms": 2,
    "land_m2": 0,
    "property_type": "apartment",
    "postal_code": "86280",
    "year_built": 1938,
    "energy_class": "F",
    "condition": "renovated",
    "price": 69500,
}
LISTINGS = list(generator.generate(3000, seed=1))


def test_same_seed_same_listings() -> None:
    """The seed decides everything."""
    assert list(generator.generate(50, 7)) == list(generator.generate(50, 7))
    assert list(generator.generate(50, 7)) != list(generator.generate(50, 8))


def test_first_listing_is_the_same_everywhere() -> None:
    """The draws do not depend on the Python or the platform."""
    assert next(generator.generate(1, seed=0)) == FIRST


def test_listings_are_valid_requests() -> None:
    """Every listing without its price is a request the service accepts."""
    request = schema.request_model(generator.features(tuple(sorted(generator.LEVEL))))
    for listing in LISTINGS:
        request.model_validate({name: value for name, value in listing.items() if name != generator.TARGET})


def test_listings_are_plausible() -> None:
    """Paris costs more than Creuse, flats have no land, and some facts are missing."""
    by_square_metre: dict[str, list[float]] = {"75": [], "23": []}
    for listing in LISTINGS:
        department = str(listing["postal_code"])[:2]
        if department in by_square_metre:
            by_square_metre[department].append(float(listing["price"] or 0) / float(listing["surface_m2"] or 1))
    paris, creuse = (statistics.median(by_square_metre[department]) for department in ("75", "23"))
    assert paris > 3 * creuse
    assert not any(listing["land_m2"] for listing in LISTINGS if listing["property_type"] == "apartment")
    assert 0.05 < sum(listing["energy_class"] is None for listing in LISTINGS) / len(LISTINGS) < 0.12
