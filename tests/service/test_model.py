"""A model is served only when it is what its digest and its contract say."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from house_pricing import model

from .conftest import SHIPPED, census_model, edited, saved

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIMIT = 10_000_000


def loaded(content: bytes) -> model.Model:
    return model.from_bytes(content, hashlib.sha256(content).hexdigest(), "test")


def refusal(path: Path, limit: int = LIMIT) -> str:
    with pytest.raises(model.ModelError) as caught:
        model.load(path, limit, "test")
    return str(caught.value)


def test_shipped_model_loads() -> None:
    """The model of the repository passes every check, and knows where it came from."""
    served = model.load(SHIPPED, LIMIT, "default")
    assert served.contract.model_version == "french-listings-1.0.0"
    assert served.source == f"default {SHIPPED}"


def test_batch_equals_single(shipped: bytes) -> None:
    """Many rows in one call give what each gives alone."""
    served = loaded(shipped)
    rows = [[float(surface), 3.0, 0.0, 0.0, 5.0, 1990.0, 3.0, 2.0] for surface in range(20, 60)]
    assert served.predict(rows) == [served.predict([row])[0] for row in rows]


def test_interval_is_the_measured_spread(shipped: bytes) -> None:
    """The range is the price times the ratios measured in training."""
    served = loaded(shipped)
    estimate = served.predict([[50.0, 3.0, 0.0, 0.0, 5.0, 1990.0, 3.0, 2.0]])[0]
    spread = served.contract.spread
    assert (estimate.low, estimate.high) == (estimate.price * spread.low, estimate.price * spread.high)


def test_changed_file_is_refused(tmp_path: Path, shipped: bytes) -> None:
    """One byte more, and the digest no longer fits."""
    path = saved(tmp_path, shipped)
    path.write_bytes(shipped + b"\0")
    assert "the file was changed" in refusal(path)


@pytest.mark.parametrize("digest", ["", "abc", "é" * 64])
def test_digest_that_is_none_is_refused(tmp_path: Path, shipped: bytes, digest: str) -> None:
    """An empty or malformed .sha256 opens nothing."""
    assert refusal(saved(tmp_path, shipped, digest))


def test_absent_digest_is_refused(tmp_path: Path, shipped: bytes) -> None:
    """A model without a digest beside it is not served."""
    path = saved(tmp_path, shipped)
    path.with_name("some.onnx.sha256").unlink()
    assert "some.onnx.sha256" in refusal(path)


def test_file_over_the_limit_is_not_read(tmp_path: Path, shipped: bytes) -> None:
    """The size is looked at before the content."""
    assert "MODEL_MAX_BYTES: 1000" in refusal(saved(tmp_path, shipped), limit=1000)


def test_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    """A right digest does not make a model."""
    assert "the runtime refuses" in refusal(saved(tmp_path, b"not a model"))


def wrong_price(contract: dict[str, Any]) -> None:
    contract["golden"][2]["expected"]["predicted_price"] *= 1.001


def wrong_order(contract: dict[str, Any]) -> None:
    contract["features"].reverse()


def one_feature_less(contract: dict[str, Any]) -> None:
    contract["features"].pop()


def unknown_key(contract: dict[str, Any]) -> None:
    contract["colour"] = "blue"


def no_golden(contract: dict[str, Any]) -> None:
    contract["golden"] = []


def same_feature_twice(contract: dict[str, Any]) -> None:
    contract["features"][1] = contract["features"][0]


def golden_outside_the_range(contract: dict[str, Any]) -> None:
    contract["golden"][0]["request"]["rooms"] = 99


def upside_down(contract: dict[str, Any]) -> None:
    contract["spread"]["low"] = 9.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (wrong_price, "self-test failed: 'house near Nantes' gave"),
        (wrong_order, "self-test"),
        (one_feature_less, "one float row of 7 features"),
        (unknown_key, "contract cannot be used: colour"),
        (no_golden, "golden rows"),
        (same_feature_twice, "surface_m2 is described twice"),
        (golden_outside_the_range, "rooms must be a whole number"),
        (upside_down, "spread: "),
    ],
)
def test_contract_that_does_not_fit_is_refused(
    shipped: bytes, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    """A contract that is malformed, or that the model does not keep, is refused with the reason."""
    with pytest.raises(model.ModelError, match=said):
        loaded(edited(shipped, change))


def test_difference_within_the_tolerance_passes(shipped: bytes) -> None:
    """Another processor may round otherwise."""

    def slightly(contract: dict[str, Any]) -> None:
        contract["golden"][2]["expected"]["predicted_price"] *= 1.00005

    loaded(edited(shipped, slightly))


def test_model_without_a_contract_is_refused(shipped: bytes) -> None:
    """An ONNX file of someone else says nothing about itself."""
    content = shipped.replace(b"house_pricing", b"house_pricinG")
    with pytest.raises(model.ModelError, match="carries no contract"):
        loaded(content)


def test_another_kind_of_model_needs_no_code() -> None:
    """Other features, another currency: the contract says it all."""
    served = loaded(census_model())
    assert served.contract.currency == "USD"
    assert served.predict([[1.0, 1.0]])[0].price == pytest.approx(7.389, rel=1e-3)


def test_answer_that_is_no_price_is_an_error() -> None:
    """A model that answers infinity or a price of zero is not believed."""
    with pytest.raises(model.ModelError, match="not a price"):
        loaded(census_model()).predict([[1000.0, 0.0]])
