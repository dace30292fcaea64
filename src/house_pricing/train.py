"""`python -m house_pricing.train`: listings in, a model file out. Same data and seed, same bytes.

A gradient-boosted forest learns the logarithm of the price; missing values go down their own branches, and
departments become their mean price, the rare ones together. Three parts of the data never meet: one is learnt from,
one measures how far true prices lie from predicted ones, one measures what that promise is worth.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.compose import ColumnTransformer  # type: ignore[import-untyped]
from sklearn.ensemble import HistGradientBoostingRegressor  # type: ignore[import-untyped]
from sklearn.metrics import (  # type: ignore[import-untyped]
    mean_absolute_error,
    mean_absolute_percentage_error,
    r2_score,
)
from sklearn.model_selection import KFold  # type: ignore[import-untyped]
from sklearn.pipeline import Pipeline  # type: ignore[import-untyped]
from sklearn.preprocessing import TargetEncoder  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from house_pricing import contract as contracts
from house_pricing import dataset, export, generator
from house_pricing.features import encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from house_pricing.features import Feature
    from house_pricing.generator import Listing

DEFAULT_OUTPUT = Path("config/models/french-listings.onnx")
LEAST_ROWS = 200
LEAST_PER_DEPARTMENT = 30  # fewer in small data: one row in 200, five at least
COVERAGE = 0.9
TOLERANCE = 1e-4
MORE_COSTS_MORE = {"surface_m2", "land_m2"}


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A pipeline with what was measured on homes it never saw."""

    pipeline: Any
    spread: contracts.Spread
    metrics: dict[str, float]


def fit(rows: np.ndarray, prices: np.ndarray, features: tuple[Feature, ...], seed: int) -> Fitted:
    """Learn from 70 % of the rows, measure the spread on 15 %, and everything else on the last 15 %."""
    order = np.random.default_rng(seed).permutation(len(rows))
    learn, calibrate, test = np.split(order, [len(rows) * 70 // 100, len(rows) * 85 // 100])
    pipeline = _pipeline(features, seed)
    with threadpool_limits(1):  # sums must not depend on the number of cores
        pipeline.fit(rows[learn], np.log(prices[learn]))
    ratios = np.sort(prices[calibrate] / predict(pipeline, rows[calibrate]))
    tail = int((len(ratios) + 1) * (1 - COVERAGE) / 2)  # split conformal: the finite sample counts
    low, high = float(ratios[max(tail - 1, 0)]), float(ratios[-max(tail, 1)])
    truth, guess = prices[test], predict(pipeline, rows[test])
    held = float(np.mean((truth >= guess * low) & (truth <= guess * high)))
    metrics = {
        "mae": round(float(mean_absolute_error(truth, guess)), 2),
        "mape": round(float(mean_absolute_percentage_error(truth, guess)), 5),
        "r2": round(float(r2_score(truth, guess)), 5),
        "rows_learnt": len(learn),
        "rows_calibrated": len(calibrate),
        "rows_tested": len(test),
    }
    spread = contracts.Spread(low=round(low, 5), high=round(high, 5), coverage=COVERAGE, measured=round(held, 4))
    return Fitted(pipeline=pipeline, spread=spread, metrics=metrics)


def predict(pipeline: Any, rows: np.ndarray) -> np.ndarray:
    """Prices, as the pipeline learnt their logarithm."""
    prices: np.ndarray = np.exp(pipeline.predict(rows))
    return prices


def _pipeline(features: tuple[Feature, ...], seed: int) -> Pipeline:
    places = [index for index, feature in enumerate(features) if feature.open]
    others = [feature for feature in features if not feature.open]
    encoder = TargetEncoder(target_type="continuous", cv=KFold(5, shuffle=True, random_state=seed))
    forest = HistGradientBoostingRegressor(
        learning_rate=0.12,
        max_iter=120,
        max_leaf_nodes=16,
        min_samples_leaf=20,
        early_stopping=False,
        random_state=seed,
        # the encoded columns come first, then the others in their order
        monotonic_cst=[0] * len(places) + [int(feature.name in MORE_COSTS_MORE) for feature in others],
    )
    columns = ColumnTransformer([("places", encoder, places)], remainder="passthrough")
    return Pipeline([("columns", columns), ("forest", forest)])


def train(listings: Sequence[Listing], data: str, seed: int, model_version: str) -> tuple[bytes, contracts.Contract]:
    """The content of a model file, checked against the pipeline it came from, and its contract.

    Raises:
        DataError: There are too few listings.
        ExportError: The exported model differs from the pipeline.
    """
    if len(listings) < LEAST_ROWS:
        raise dataset.DataError(f"{len(listings)} usable rows are too few: {LEAST_ROWS} are needed")
    least = max(5, min(LEAST_PER_DEPARTMENT, len(listings) // 200))
    departments = dataset.frequent(listings, "postal_code", 2, least)
    features = generator.features(departments)
    rows = np.array([encode(features, listing) for listing in listings], np.float32)
    prices = np.array([listing[generator.TARGET] for listing in listings], np.float64)
    fitted = fit(rows, prices, features, seed)
    exported = export.graph(fitted.pipeline, len(features))
    answered = export.answers(exported, features, generator.golden_requests())
    contract = contracts.Contract(
        format=1,
        name=generator.NAME,
        version=model_version,
        currency=generator.CURRENCY,
        features=features,
        spread=fitted.spread,
        tolerance=TOLERANCE,
        golden=answered,
        metrics=fitted.metrics,
        data=f"{data}; seed {seed}",
        libraries=_libraries(),
        trained_at=_trained_at(),
    )
    content = export.to_bytes(exported, contract)
    export.verify(content, rows, predict(fitted.pipeline, rows))
    return content, contract


def _libraries() -> dict[str, str]:
    names = ("numpy", "onnx", "scikit-learn", "skl2onnx")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def _trained_at() -> str | None:
    """The time the build is told to have; none otherwise, as the clock would change the bytes."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.fromtimestamp(int(epoch), UTC).isoformat() if epoch else None


def _listings(args: argparse.Namespace) -> tuple[list[Listing], str]:
    if args.data is None:
        listings = list(generator.generate(args.rows, args.seed))
        return listings, f"synthetic: house_pricing.generator, {args.rows} listings"
    every = tuple(sorted(generator.LEVEL))
    listings, bad = dataset.read_csv(args.data, generator.features(every))
    for row in bad:
        sys.stderr.write(f"{args.data}:{row.line}: {row.reason}\n")
    if bad and not args.skip_bad_rows:
        raise dataset.DataError(f"{len(bad)} rows of {args.data} cannot be used (--skip-bad-rows leaves them out)")
    return listings, f"{args.data.name}, {len(listings)} listings, {len(bad)} bad rows left out"


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m house_pricing.train", description="Train the price model.")
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT, help="model file (default: %(default)s)")
    parser.add_argument("--data", type=Path, help="CSV with the features and a price; default: the generator")
    parser.add_argument("--skip-bad-rows", action="store_true", help="report unusable rows and go on without them")
    parser.add_argument("--rows", type=int, default=20_000, help="listings to generate (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random (default: %(default)s)")
    parser.add_argument("--model-version", default="1.0.0", help="version written into the file")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Train, check, write, and say what came out; returns 0, or 2 when the data cannot be used."""
    args = _arguments(argv)
    try:
        listings, data = _listings(args)
        content, contract = train(listings, data, args.seed, args.model_version)
    except dataset.DataError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for path in export.write(args.output, content, contract):
        sys.stdout.write(f"{path}  {path.stat().st_size} bytes\n")
    measured = ", ".join(f"{name} {value:g}" for name, value in contract.metrics.items())
    spread = contract.spread
    sys.stdout.write(
        f"{measured}\n{spread.coverage:.0%} interval: {spread.low:g} to {spread.high:g} times the price; "
        f"it held {spread.measured:.1%} of the tested homes\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
