"""Synthetic French listings: the features of the default model, and homes that follow them.

No listing here was ever for sale. Prices follow a formula with noise:

    price = level of the department * city * surface^0.94 * type * energy * condition * age + land

The level is a rough order of magnitude in euros per m², set by hand; the other factors are plausible, not
estimated. A model trained on this shows that the machinery works, not what a home is worth.

Only `random.Random` draws, so that one seed gives the same listings on every Python and platform.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from house_pricing.features import Feature

if TYPE_CHECKING:
    from collections.abc import Iterator

Listing = dict[str, int | float | str | None]

TARGET = "price"
CURRENCY = "EUR"
NAME = "french-listings"

ENERGY = ("A", "B", "C", "D", "E", "F", "G")
CONDITION = ("to renovate", "fair", "good", "renovated", "new")
NOISE = 0.15
IN_FIRST_TOWN = 0.3
MISSING = {"year_built": 0.12, "energy_class": 0.08, "condition": 0.10}

# Departments by rough level, in euros per m². "20" is Corsica, "97" overseas: the first two digits decide.
LEVELS = {
    9500: "75",
    6700: "92",
    5000: "06 94 74",
    4300: "69 78 83 20",
    3800: "13 33 93 64 44",
    3300: "31 34 35 73 91 95 17 40",
    2900: "85 56 67 77 05 84 14",
    2600: "38 30 66 60 01 49 97",
    2300: "37 59 04 26 29 21 25 68 22",
    2000: "45 28 27 76 62 51 57 54 63 80 50 07 11",
    1700: "24 86 12 46 81 82 32 47 10 72 53 41",
    1500: "42 43 39 90 79 16 87 65 09 71 02 48 19",
    1300: "15 18 89 61 88 03 08 70",
    1050: "23 36 58 52 55",
}
LEVEL = {code: level for level, codes in LEVELS.items() for code in codes.split()}
BUSY = frozenset("75 92 93 94 78 91 95 77 59 69 13 33 31 44 34 06 83 38 62 76 67 35 57 30 60".split())  # noqa: SIM905
SPARSE = frozenset({"48", "90", "97"})
REGIONS = {
    "Auvergne-Rhône-Alpes": "01 03 07 15 26 38 42 43 63 69 73 74",
    "Bourgogne-Franche-Comté": "21 25 39 58 70 71 89 90",
    "Bretagne": "22 29 35 56",
    "Centre-Val de Loire": "18 28 36 37 41 45",
    "Corse": "20",
    "Grand Est": "08 10 51 52 54 55 57 67 68 88",
    "Hauts-de-France": "02 59 60 62 80",
    "Île-de-France": "75 77 78 91 92 93 94 95",
    "Normandie": "14 27 50 61 76",
    "Nouvelle-Aquitaine": "16 17 19 23 24 33 40 47 64 79 86 87",
    "Occitanie": "09 11 12 30 31 32 34 46 48 65 66 81 82",
    "Pays de la Loire": "44 49 53 72 85",
    "Provence-Alpes-Côte d'Azur": "04 05 06 13 83 84",
    "overseas": "97",
}
_REGION = {department: region for region, departments in REGIONS.items() for department in departments.split()}


def features(departments: tuple[str, ...]) -> tuple[Feature, ...]:
    """The features of a French listing, with the departments that training saw often enough."""
    return (
        Feature(
            name="surface_m2", type="number", unit="m²", minimum=9, maximum=1000, example=85,
            description="Living area (surface habitable).",
        ),
        Feature(
            name="rooms", type="integer", minimum=1, maximum=30, example=4,
            description="Main rooms (pièces principales), kitchen and bathrooms not counted.",
        ),
        Feature(
            name="land_m2", type="number", unit="m²", minimum=0, maximum=100_000, example=0,
            description="Area of the plot (terrain); 0 where there is none.", required=False, default=0,
        ),
        Feature(
            name="property_type", type="category", categories=("apartment", "house"), example="apartment",
            description="Kind of home.",
        ),
        Feature(
            name="postal_code", type="category", categories=departments, open=True, prefix=2,
            pattern="^[0-9]{5}$", example="69003",
            description="French postal code, five digits; its department is what the model reads.",
        ),
        Feature(
            name="year_built", type="integer", minimum=1500, maximum=2030, example=1995,
            description="Year of construction.", required=False,
        ),
        Feature(
            name="energy_class", type="category", categories=ENERGY, example="D",
            description="Energy label (DPE).", required=False,
        ),
        Feature(
            name="condition", type="category", categories=CONDITION, example="good",
            description="State of the home.", required=False,
        ),
    )  # fmt: skip


def generate(count: int, seed: int) -> Iterator[Listing]:
    """Listings with their `price`, the same ones for the same seed."""
    draw = random.Random(seed)  # noqa: S311 - a simulation, not a secret
    codes = sorted(LEVEL)
    weights = [6.0 if code in BUSY else 0.05 if code in SPARSE else 1.0 for code in codes]
    for code in draw.choices(codes, weights, k=count):
        yield _listing(draw, code)


def _listing(draw: random.Random, department: str) -> Listing:
    is_house = draw.random() < (0.0 if department == "75" else 0.25 if department in BUSY else 0.65)
    surface = round(min(400.0, max(9.0, draw.lognormvariate(math.log(112 if is_house else 58), 0.38))))
    land = round(min(20_000.0, draw.lognormvariate(math.log(550), 0.8))) if is_house else 0
    year = min(2025, max(1850, round(draw.gauss(1972, 33))))
    energy = min(6, max(0, round(draw.gauss(3.3 - (year - 1975) / 28, 1.1))))
    condition = draw.choices(range(5), (8, 20, 45, 19, 8))[0]
    in_city = draw.random() < IN_FIRST_TOWN
    price = LEVEL[department] * (1.12 if in_city else 0.95) * 1.32 * surface**0.94
    price *= (0.88 if is_house else 1.0) * (1.06 - 0.03 * energy) * (0.84 + 0.075 * condition)
    price *= 1.0 + 0.0012 * (year - 1970)
    price += land * LEVEL[department] * 0.012
    price *= math.exp(draw.gauss(0.0, NOISE))
    listing: Listing = {
        "surface_m2": surface,
        "rooms": min(12, max(1, round(surface / 24 + draw.gauss(0, 0.6)))),
        "land_m2": land,
        "property_type": "house" if is_house else "apartment",
        "postal_code": f"{department}{0 if in_city else draw.randrange(1, 99) * 10:03d}",
        "year_built": year,
        "energy_class": ENERGY[energy],
        "condition": CONDITION[condition],
        TARGET: round(price / 500) * 500,
    }
    return {name: None if draw.random() < MISSING.get(name, 0.0) else value for name, value in listing.items()}


def region(listing: Listing) -> str:
    """The administrative region of a listing, for the model card."""
    return _REGION.get(str(listing["postal_code"])[:2], "unknown")


def golden_requests() -> dict[str, Listing]:
    """The requests whose answers a model file carries: usual homes, missing facts, both ends, a rare place."""
    flat: Listing = {"surface_m2": 62, "rooms": 3, "property_type": "apartment", "postal_code": "75011"}
    house: Listing = {"surface_m2": 118, "rooms": 5, "land_m2": 640, "property_type": "house"}
    return {
        "apartment in Paris": {**flat, "year_built": 1930, "energy_class": "E", "condition": "good"},
        "apartment with nothing but the required fields": {**flat, "postal_code": "69003"},
        "house near Nantes": {
            **house, "postal_code": "44300", "year_built": 1998, "energy_class": "D", "condition": "good",
        },
        "old house in Creuse, to renovate": {
            **house, "postal_code": "23000", "year_built": 1890, "energy_class": "G", "condition": "to renovate",
        },
        "house in a rare department": {**house, "postal_code": "97400", "energy_class": "C"},
        "smallest home": {**flat, "surface_m2": 9, "rooms": 1, "condition": "new"},
        "largest home": {**house, "surface_m2": 1000, "rooms": 30, "land_m2": 100_000, "postal_code": "06400"},
    }  # fmt: skip
