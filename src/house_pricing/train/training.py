"""From rows to a model file, its contract and what was measured.

Same data and seed, same bytes. The exported model is compared with scikit-learn row by row before anything is written.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from house_pricing import contract as contracts
from house_pricing.features import encode
from house_pricing.train import evaluate, export, learn, samples
from house_pricing.train.dataset import DataError
from house_pricing.train.generator import TARGET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from house_pricing.train.evaluate import Evaluation
    from house_pricing.train.generator import Listing
    from house_pricing.train.samples import Sample

LEAST_ROWS = 200
TOLERANCE = 1e-4


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to train.

    Attributes:
        sample: The kind of home.
        name: The model's name in its contract.
        version: The model's version there.
        data: Where the rows come from, for people.
        seed: Seed of everything random.
        folds: Folds of the cross-validation; 0 for none.
    """

    sample: Sample
    name: str
    version: str
    data: str
    seed: int = 0
    folds: int = 5


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A model file's content, what it says of itself, and all that was measured."""

    content: bytes
    contract: contracts.Contract
    evaluation: Evaluation


def train(listings: Sequence[Listing], order: Order) -> Trained:
    """Fit, measure, export, and compare the export with the pipeline it came from.

    Raises:
        DataError: There are too few rows, or `SOURCE_DATE_EPOCH` is no time.
        ExportError: The exported model differs from the pipeline.
    """
    if len(listings) < LEAST_ROWS:
        why = f"{LEAST_ROWS} are needed: a part is kept to measure the errors and the interval."
        raise DataError(f"{len(listings)} usable rows are too few.", why, "Give more rows.")
    trained_at = _trained_at()
    sample, seed = order.sample, order.seed
    features = samples.with_categories(sample.features, listings)
    rows = np.array([encode(features, listing) for listing in listings], np.float32)
    prices = np.array([listing[TARGET] for listing in listings], np.float64)
    parts = evaluate.split(len(rows), seed)

    def make() -> Any:
        return learn.pipeline(features, sample.increasing, seed)

    fitted = learn.fit(make(), rows[parts[0]], prices[parts[0]])
    guess = learn.predict(fitted, rows)
    folds = evaluate.cross_validate(make, rows, prices, order.folds, seed)
    evaluation = evaluate.evaluate(listings, guess, parts, sample.segments, folds)
    exported = export.graph(fitted, len(features))
    contract = contracts.Contract(
        format=1,
        name=order.name,
        version=order.version,
        currency=sample.currency,
        features=features,
        spread=evaluation.spread,
        tolerance=TOLERANCE,
        golden=export.answers(exported, features, sample.golden()),
        metrics=_metrics(evaluation),
        data=f"{order.data}; seed {seed}",
        libraries=_libraries(),
        trained_at=trained_at,
    )
    content = export.to_bytes(exported, contract)
    golden = np.array([encode(features, request) for request in sample.golden().values()], np.float32)
    export.verify(content, np.vstack([rows, golden]), np.append(guess, learn.predict(fitted, golden)))
    return Trained(content=content, contract=contract, evaluation=evaluation)


def _metrics(evaluation: Evaluation) -> dict[str, float]:
    overall = evaluation.overall
    learnt, calibrated, tested = evaluation.sizes
    sizes = {"rows_learnt": learnt, "rows_calibrated": calibrated, "rows_tested": tested}
    return {"mae": overall.mae, "mape": overall.mape, "r2": overall.r2, **sizes}


def _libraries() -> dict[str, str]:
    names = ("numpy", "onnx", "scikit-learn", "skl2onnx")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def _trained_at() -> str | None:
    """The time the build is told to have; none otherwise, as the clock would change the bytes."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return None
    try:
        return datetime.fromtimestamp(int(epoch), UTC).isoformat()
    except (ValueError, OverflowError, OSError) as error:
        why = f"It is {epoch[:40]!r}, not a number of seconds since 1970."
        raise DataError("SOURCE_DATE_EPOCH is no time.", why, "Correct it, or leave it unset.") from error
