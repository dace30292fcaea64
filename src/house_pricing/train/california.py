"""Synthetic Californian census blocks: the eight features of a well-known data set, and blocks that follow them.

No census counted these blocks. Names and rough ranges are those of the 1990 data set that tutorials use; every value
is drawn here. The price is that of a block's median home, in US dollars of an imaginary year:

    price = level of the place * income^0.8 * rooms per bedroom^0.3 * age / occupancy^0.25, with noise

A place is a centre with a level set by hand that fades with the distance. A model trained on this shows that the
machinery works with other features, not what a home in California is worth.

Only `random.Random` draws, so that one seed gives the same blocks on every Python and platform.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, NamedTuple

from house_pricing.features import Feature
from house_pricing.train.generator import TARGET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from house_pricing.train.generator import Listing

CURRENCY = "USD"
NAME = "california"
NOISE = 0.18
MISSING = {"house_age": 0.06, "ave_bedrms": 0.05}


class Place(NamedTuple):
    """A centre: where, how often drawn, how dear, and how far its blocks spread, in degrees."""

    latitude: float
    longitude: float
    weight: float
    level: float
    spread: float


PLACES = (
    Place(37.77, -122.42, 7, 125_000, 0.08),  # San Francisco
    Place(37.80, -122.22, 9, 88_000, 0.12),  # Oakland
    Place(37.34, -121.90, 10, 102_000, 0.14),  # San José
    Place(38.58, -121.48, 7, 52_000, 0.18),  # Sacramento
    Place(37.80, -121.15, 4, 45_000, 0.22),  # Stockton, Modesto
    Place(36.74, -119.78, 5, 38_000, 0.25),  # Fresno
    Place(35.37, -119.02, 3, 35_000, 0.20),  # Bakersfield
    Place(34.42, -119.75, 3, 98_000, 0.15),  # Santa Barbara
    Place(34.05, -118.27, 26, 84_000, 0.18),  # Los Angeles
    Place(33.75, -117.87, 12, 80_000, 0.14),  # Anaheim
    Place(33.97, -117.35, 8, 50_000, 0.20),  # Riverside
    Place(32.78, -117.10, 11, 70_000, 0.15),  # San Diego
    Place(33.80, -116.50, 2, 45_000, 0.20),  # Palm Springs
    Place(40.55, -122.35, 2, 36_000, 0.40),  # Redding
    Place(40.75, -124.05, 1, 40_000, 0.15),  # Eureka
)


def _number(name: str, about: str, low: float, high: float, example: float, unit: str | None = None) -> Feature:
    return Feature(
        name=name, type="number", description=about, minimum=low, maximum=high, example=example, unit=unit,
        required=name not in MISSING,
    )  # fmt: skip


FEATURES = (
    _number("med_inc", "Median household income of the block (MedInc).", 0.1, 20, 3.5, "tens of thousands of USD"),
    _number("house_age", "Median age of the block's homes (HouseAge).", 0, 60, 29, "years"),
    _number("ave_rooms", "Rooms per household (AveRooms).", 0.5, 50, 5.3),
    _number("ave_bedrms", "Bedrooms per household (AveBedrms).", 0.3, 15, 1.1),
    _number("population", "People who live in the block (Population).", 1, 40_000, 1200),
    _number("ave_occup", "People per household (AveOccup).", 0.5, 20, 2.9),
    _number("latitude", "Latitude of the block's centre (Latitude).", 32, 42.5, 34.05, "degrees north"),
    _number("longitude", "Longitude of the block's centre (Longitude).", -125, -114, -118.24, "degrees east"),
)


def generate(count: int, seed: int) -> Iterator[Listing]:
    """Blocks with their `price`, the same ones for the same seed."""
    draw = random.Random(seed)  # noqa: S311 - a simulation, not a secret
    for place in draw.choices(PLACES, [place.weight for place in PLACES], k=count):
        yield _block(draw, place)


def _block(draw: random.Random, place: Place) -> Listing:
    north, east = draw.gauss(0.0, 1.0), draw.gauss(0.0, 1.0)
    income = min(15.0, max(0.5, draw.lognormvariate(math.log(3.5), 0.45)))
    age = min(52, max(1, round(draw.gauss(32 - 3 * math.hypot(north, east), 11))))
    rooms = min(20.0, max(1.0, draw.gauss(3.4 + 0.5 * income, 0.8)))
    bedrooms = min(5.0, max(0.5, rooms * draw.gauss(0.2, 0.025)))
    occupancy = min(10.0, max(1.2, draw.lognormvariate(math.log(2.85), 0.2)))
    price = place.level * (0.82 + 0.18 * math.exp(-math.hypot(north, east))) * (income / 2.2) ** 0.8
    price *= (rooms / bedrooms / 5) ** 0.3 * (1 + 0.003 * (age - 28)) * (2.85 / occupancy) ** 0.25
    price *= math.exp(draw.gauss(0.0, NOISE))
    block: Listing = {
        "med_inc": round(income, 4),
        "house_age": age,
        "ave_rooms": round(rooms, 3),
        "ave_bedrms": round(bedrooms, 3),
        "population": min(20_000, max(20, round(draw.lognormvariate(math.log(1150), 0.6)))),
        "ave_occup": round(occupancy, 3),
        "latitude": round(min(42.0, max(32.5, place.latitude + north * place.spread)), 2),
        "longitude": round(min(-114.2, max(-124.4, place.longitude + east * place.spread)), 2),
        TARGET: round(price / 100) * 100,
    }
    return {name: None if draw.random() < MISSING.get(name, 0.0) else value for name, value in block.items()}


def region(block: Listing) -> str:
    """Where a block lies, in four words for the model card."""
    latitude, longitude = float(block["latitude"] or 0), float(block["longitude"] or 0)
    if latitude > 38.9:  # noqa: PLR2004 - lines on a map
        return "north"
    if latitude > 36.9 and longitude < -121.6:  # noqa: PLR2004 - as above
        return "Bay Area"
    return "central" if latitude > 34.9 else "south"  # noqa: PLR2004 - as above


def golden_requests() -> dict[str, Listing]:
    """The requests whose answers the model file carries: usual blocks, missing facts, both ends, an empty quarter."""
    block: Listing = {
        "med_inc": 3.9, "house_age": 34, "ave_rooms": 5.1, "ave_bedrms": 1.05, "population": 1180, "ave_occup": 2.8,
        "latitude": 34.05, "longitude": -118.27,
    }  # fmt: skip
    known = {name: value for name, value in block.items() if name not in MISSING}
    return {
        "block in Los Angeles": block,
        "block with nothing but the required fields": known,
        "rich block in San Francisco": {**block, "med_inc": 11.2, "latitude": 37.79, "longitude": -122.44},
        "poor block in Fresno": {**block, "med_inc": 1.4, "ave_occup": 3.9, "latitude": 36.74, "longitude": -119.79},
        "far from everything": {**known, "latitude": 41.7, "longitude": -120.4, "population": 40},
        "all at the lower end": {feature.name: feature.minimum for feature in FEATURES},
        "all at the upper end": {feature.name: feature.maximum for feature in FEATURES},
    }
