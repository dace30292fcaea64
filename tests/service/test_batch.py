"""Many homes in one request."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from house_pricing import model
from house_pricing.schema import BatchPrediction, Problem

from .conftest import FLAT, SHIPPED, Client, ReadableLog

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx


def batch(client: Client, instances: Any, **headers: str) -> httpx.Response:
    return client.post("/predict/batch", {"instances": instances}, **headers)


def homes(count: int) -> list[dict[str, Any]]:
    return [{**FLAT, "surface_m2": 20 + number % 300, "rooms": 1 + number % 5} for number in range(count)]


def refusal(answer: httpx.Response) -> Problem:
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    return Problem.model_validate_json(answer.content)


@pytest.mark.parametrize("count", [1, 7, 150])
def test_batch_equals_single(client: Client, count: int) -> None:
    """Every price and interval is what the home gets alone, in the order of the request."""
    answer = batch(client, homes(count))
    assert answer.status_code == 200
    prediction = BatchPrediction.model_validate_json(answer.content, strict=True, extra="forbid")
    assert len(prediction.predictions) == count
    for home, price in zip(homes(count), prediction.predictions, strict=True):
        single = client.predict(home).json()
        assert single["predicted_price"] == price.predicted_price
        assert single["interval"] == price.interval.model_dump()
    assert (prediction.currency, prediction.model_version) == ("EUR", "french-listings-1.0.0")


def test_golden_rows_hold_as_one_batch(client: Client) -> None:
    """The file the toolkit asks from outside holds for a batch too."""
    golden = json.loads(SHIPPED.with_suffix(".golden.json").read_text())
    prices = batch(client, [case["request"] for case in golden["cases"]]).json()["predictions"]
    for case, price in zip(golden["cases"], prices, strict=True):
        assert price["predicted_price"] == pytest.approx(case["expected"]["predicted_price"], rel=golden["tolerance"])


@pytest.mark.parametrize(("count", "on_loop"), [(5, True), (1000, False)])
def test_model_is_called_once(client: Client, monkeypatch: pytest.MonkeyPatch, count: int, on_loop: bool) -> None:
    """One call of the model for all rows; a large batch does not hold up the event loop."""
    calls: list[tuple[int, bool]] = []
    real = model.Model.predict

    def watched(self: model.Model, rows: Any) -> list[model.Estimate]:
        calls.append((len(rows), threading.current_thread() is threading.main_thread()))
        return real(self, rows)

    monkeypatch.setattr(model.Model, "predict", watched)
    assert len(batch(client, homes(count)).json()["predictions"]) == count
    assert calls == [(count, on_loop)]


def test_wrong_row_is_named(client: Client) -> None:
    """422 says which row, counted from 0, and in it the field, the unit and the range."""
    document = refusal(batch(client, [FLAT, {**FLAT, "surface_m2": 5}, FLAT, {"rooms": "many"}, 7]))
    assert document.detail.startswith("row 1: surface_m2 must be a number from 9 to 1000 m²; row 3: ")
    assert document.errors is not None
    assert document.errors[0].model_dump(exclude={"message"}) == {
        "row": 1, "field": "surface_m2", "unit": "m²", "minimum": 9.0, "maximum": 1000.0,
    }  # fmt: skip
    assert {error.row for error in document.errors} == {1, 3, 4}
    assert document.errors[-1].message == "row 4: must be a JSON object"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"instances": []}', "instances must be a list of 1 to 1000 objects"),
        (b'{"instances": {}}', "instances must be a list of 1 to 1000 objects"),
        (b"{}", "instances must be a list of 1 to 1000 objects"),
        (b"[]", "the body must be a JSON object"),
        (b'{"instances": [', "Invalid JSON"),
        (b"", "Invalid JSON"),
    ],
)
def test_malformed_batch_is_422(client: Client, body: bytes, said: str) -> None:
    """A body that is no batch is told what one is."""
    assert said in refusal(client.post("/predict/batch", body)).detail


def test_field_beside_instances_is_refused(client: Client) -> None:
    """Nothing that was sent is passed over."""
    document = refusal(client.post("/predict/batch", {"instances": [FLAT], "currency": "USD"}))
    assert document.detail == "unknown field; the rows belong in instances"


def test_bound_is_a_setting(make_client: Callable[..., Client]) -> None:
    """MAX_BATCH homes are answered, one more is not, and the document says how many."""
    client = make_client(max_batch=3)
    assert batch(client, homes(3)).status_code == 200
    assert "a list of 1 to 3 objects" in refusal(batch(client, homes(4))).detail
    schema = client.get("/openapi.json").json()["components"]["schemas"]["Batch"]
    assert schema["properties"]["instances"]["maxItems"] == 3


def test_errors_of_a_bad_batch_are_bounded(client: Client) -> None:
    """A thousand bad rows give a hundred errors, not a megabyte."""
    document = refusal(batch(client, [{}] * 1000))
    assert document.errors is not None
    assert len(document.errors) == 100
    assert document.detail.endswith("; …")


def test_batch_needs_a_key_and_is_bounded(client: Client) -> None:
    """401 and 413 as for one home."""
    assert client.post("/predict/batch", {"instances": [FLAT]}, key="wrong").status_code == 401
    assert client.post("/predict/batch", b" " * 1_048_577).status_code == 413


def test_nothing_of_a_batch_is_logged(client: Client, log: ReadableLog) -> None:
    """One line, without a word of the body."""
    batch(client, [{**FLAT, "bogus_field": "b0gus"}] * 200)
    assert [line["route"] for line in log.lines("request")] == ["/predict/batch"]
    assert not [word for word in ("bogus", "b0gus", "75011") if word in log.text()]


def test_documented_example_is_accepted(client: Client) -> None:
    """The example of the document comes from the model's golden rows."""
    example = client.get("/openapi.json").json()["components"]["schemas"]["Batch"]["example"]
    assert client.post("/predict/batch", example).status_code == 200
