"""The second sample: made-up census blocks, and a model file that the service takes without a change of code."""

from __future__ import annotations

import json
import statistics
from typing import TYPE_CHECKING, Any

import pytest

from house_pricing import model, schema
from house_pricing.features import encode
from house_pricing.train import california

from .conftest import CONFIG

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = CONFIG / "models" / "california.onnx"
BLOCKS = list(california.generate(2000, seed=1))
FIRST = {
    "med_inc": 2.3916,
    "house_age": 13,
    "ave_rooms": 5.383,
    "ave_bedrms": 1.026,
    "population": 1158,
    "ave_occup": 3.891,
    "latitude": 33.98,
    "longitude": -117.56,
    "price": 51400,
}


def test_same_seed_same_blocks() -> None:
    """The seed decides everything."""
    assert list(california.generate(50, 7)) == list(california.generate(50, 7))
    assert list(california.generate(50, 7)) != list(california.generate(50, 8))


def test_first_block_is_the_same_everywhere() -> None:
    """The draws do not depend on the Python or the platform."""
    assert next(california.generate(1, seed=0)) == FIRST


def test_blocks_are_valid_requests() -> None:
    """Every block without its price is a request the service accepts."""
    request = schema.request_model(california.FEATURES)
    for block in BLOCKS:
        request.model_validate({name: value for name, value in block.items() if name != "price"})


def test_blocks_are_plausible() -> None:
    """The coast of the Bay costs more than the north, income counts, and some facts are missing."""
    prices: dict[str, list[float]] = {"Bay Area": [], "north": [], "south": [], "central": []}
    for block in BLOCKS:
        prices[california.region(block)].append(float(block["price"] or 0))
    assert statistics.median(prices["Bay Area"]) > 1.5 * statistics.median(prices["north"])
    incomes, all_prices = ([float(block[name] or 0) for block in BLOCKS] for name in ("med_inc", "price"))
    assert statistics.correlation(incomes, all_prices) > 0.5
    assert 0.03 < sum(block["house_age"] is None for block in BLOCKS) / len(BLOCKS) < 0.1


def test_shipped_model_is_served(make_client: Callable[..., Any]) -> None:
    """MODEL_PATH is all it takes: golden rows get their prices, in dollars, and the old fields are refused."""
    client = make_client(model_path=str(MODEL))
    golden = json.loads(MODEL.with_suffix(".golden.json").read_text(encoding="utf-8"))
    assert client.get("/ready").json()["model_version"] == golden["model_version"] == "california-1.0.0"
    for case in golden["cases"]:
        answer = client.predict(case["request"]).json()
        assert answer["predicted_price"] == pytest.approx(case["expected"]["predicted_price"], rel=golden["tolerance"])
        assert answer["currency"] == "USD"
    refused = client.predict({**golden["cases"][0]["request"], "surface_m2": 62})
    assert refused.status_code == 422
    refused = client.predict({**golden["cases"][0]["request"], "latitude": 48.8})
    assert refused.json()["errors"][0] == {
        "field": "latitude",
        "message": "latitude must be a number from 32 to 42.5 degrees north",
        "unit": "degrees north",
        "minimum": 32,
        "maximum": 42.5,
    }


def test_shipped_model_is_small_and_honest() -> None:
    """The file is below 300 kB, says that its data is made up, and its interval holds about as often as it promises."""
    served = model.load(MODEL, 300_000, "test")
    spread = served.contract.spread
    assert abs(spread.measured - spread.coverage) < 0.02
    assert served.contract.data.startswith("synthetic: house_pricing.train.california")


def test_more_income_never_costs_less() -> None:
    """What is known of the world is kept: a price never falls when the income rises."""
    served = model.load(MODEL, 300_000, "test")
    base = served.contract.golden[0].request
    rows = [encode(served.contract.features, {**base, "med_inc": tenth / 10}) for tenth in range(1, 200)]
    prices = [estimate.price for estimate in served.predict(rows)]
    assert prices == sorted(prices)
