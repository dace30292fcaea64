"""The pipeline: missing values and rare categories in, the logarithm of a price out.

A gradient-boosted forest learns the logarithm of the price. Missing values go down their own branches; open categories
become their mean price, the rare ones together as one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.compose import ColumnTransformer  # type: ignore[import-untyped]
from sklearn.ensemble import HistGradientBoostingRegressor  # type: ignore[import-untyped]
from sklearn.model_selection import KFold  # type: ignore[import-untyped]
from sklearn.pipeline import Pipeline  # type: ignore[import-untyped]
from sklearn.preprocessing import TargetEncoder  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from house_pricing.features import Feature

FOREST = {"learning_rate": 0.12, "max_iter": 120, "max_leaf_nodes": 16, "min_samples_leaf": 20}


def pipeline(features: tuple[Feature, ...], increasing: frozenset[str], seed: int) -> Pipeline:
    """An unfitted pipeline for rows of these features."""
    places = [index for index, feature in enumerate(features) if feature.open]
    others = [feature for feature in features if not feature.open]
    forest = HistGradientBoostingRegressor(
        **FOREST,
        early_stopping=False,
        random_state=seed,
        # the encoded columns come first, then the others in their order
        monotonic_cst=[0] * len(places) + [int(feature.name in increasing) for feature in others],
    )
    if not places:
        return Pipeline([("forest", forest)])
    encoder = TargetEncoder(target_type="continuous", cv=KFold(5, shuffle=True, random_state=seed))
    columns = ColumnTransformer([("places", encoder, places)], remainder="passthrough")
    return Pipeline([("columns", columns), ("forest", forest)])


def fit(unfitted: Pipeline, rows: np.ndarray, prices: np.ndarray) -> Pipeline:
    """The pipeline, fitted; on one thread, as sums must not depend on the number of cores."""
    with threadpool_limits(1):
        fitted = unfitted.fit(rows, np.log(prices))
    _fit_thresholds_to_rows(fitted)
    return fitted


def _fit_thresholds_to_rows(fitted: Pipeline) -> None:
    """Make every threshold on a plain column the greatest float32 below it.

    Rows are float32: the same ones pass as before. ONNX would round thresholds to the nearest float32, which may be a
    value of the data that had been on the other side. Encoded columns are left alone: ONNX rounds their values too.
    """
    encoded = len(fitted["columns"].transformers_[0][2]) if "columns" in fitted.named_steps else 0
    for predictors in fitted["forest"]._predictors:  # private: what the export reads as well
        for predictor in predictors:
            nodes = predictor.nodes
            nearest = nodes["num_threshold"].astype(np.float32)
            above = (nodes["feature_idx"] >= encoded) & (nearest > nodes["num_threshold"])
            nodes["num_threshold"][above] = np.nextafter(nearest, np.float32(-np.inf))[above]


def predict(fitted: Any, rows: np.ndarray) -> np.ndarray:
    """Prices, as the pipeline learnt their logarithm."""
    prices: np.ndarray = np.exp(fitted.predict(rows))
    return prices
