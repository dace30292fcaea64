"""How good a model is, on homes it never saw: errors, also by segment, cross-validation, what an interval is worth.

Three parts of the data never meet: one is learnt from, one measures how far true prices lie from predicted ones, and
one measures the errors and what that promise is worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import KFold  # type: ignore[import-untyped]

from house_pricing.contract import Spread
from house_pricing.train import learn
from house_pricing.train.generator import TARGET

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from house_pricing.train.generator import Listing

COVERAGE = 0.9
BANDS = 4
BY_PRICE = "true price"


@dataclass(frozen=True, kw_only=True)
class Score:
    """Errors on some homes; `held` is the share of true prices inside their interval, where that was looked at."""

    rows: int
    mae: float
    mape: float
    r2: float
    held: float | None = None


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """All that was measured.

    Attributes:
        spread: The interval, from the calibration rows; its `measured` from the test rows.
        overall: On the test rows.
        segments: The same by kind and name of the segment.
        folds: One score a fold of the cross-validation.
        sizes: Rows learnt from, calibrated and tested on.
    """

    spread: Spread
    overall: Score
    segments: dict[str, dict[str, Score]]
    folds: tuple[Score, ...]
    sizes: tuple[int, int, int]


def split(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places of the rows to learn from (70 %), to calibrate on (15 %) and to test on (15 %)."""
    order = np.random.default_rng(seed).permutation(count)
    learnt, calibrate, test = np.split(order, [count * 70 // 100, count * 85 // 100])
    return learnt, calibrate, test


def quantiles(truth: np.ndarray, guess: np.ndarray) -> tuple[float, float]:
    """The ratios true / predicted that enclose the middle `COVERAGE` of these homes (split conformal)."""
    ratios = np.sort(truth / guess)
    tail = int((len(ratios) + 1) * (1 - COVERAGE) / 2)  # the finite sample counts
    return float(ratios[max(tail - 1, 0)]), float(ratios[-max(tail, 1)])


def held(truth: np.ndarray, guess: np.ndarray, low: float, high: float) -> float:
    """The share of true prices inside the interval around the predicted ones."""
    return float(np.mean((truth >= guess * low) & (truth <= guess * high)))


def score(truth: np.ndarray, guess: np.ndarray, share: float | None = None) -> Score:
    """Mean absolute error, the same relative to the price, and R²."""
    error = truth - guess
    total = float(np.sum((truth - truth.mean()) ** 2))
    return Score(
        rows=len(truth),
        mae=round(float(np.mean(np.abs(error))), 2),
        mape=round(float(np.mean(np.abs(error) / truth)), 5),
        r2=round(1 - float(np.sum(error**2)) / total, 5) if total else 0.0,
        held=share,
    )


def bands(prices: np.ndarray) -> Callable[[Listing], str]:
    """A segment by true price: four bands of about as many homes, between round numbers."""
    edges = sorted({float(f"{edge:.2g}") for edge in np.quantile(prices, np.arange(1, BANDS) / BANDS)})

    def band(listing: Listing) -> str:
        place = int(np.searchsorted(edges, float(listing[TARGET] or 0), side="right"))
        if place == 0:
            return f"below {edges[0]:,.0f}"
        return f"from {edges[place - 1]:,.0f}" + (f" to {edges[place]:,.0f}" if place < len(edges) else "")

    return band


def evaluate(
    listings: Sequence[Listing],
    guess: np.ndarray,
    parts: tuple[np.ndarray, np.ndarray, np.ndarray],
    kinds: Mapping[str, Callable[[Listing], str]],
    folds: tuple[Score, ...],
) -> Evaluation:
    """Measure the predictions for all listings, of a pipeline that learnt from the first part only."""
    learnt, calibrate, test = parts
    prices = np.array([listing[TARGET] for listing in listings], np.float64)
    low, high = quantiles(prices[calibrate], guess[calibrate])
    truth, guessed = prices[test], guess[test]
    share = held(truth, guessed, low, high)
    tested = [listings[index] for index in test]
    segments = {}
    for kind, name_of in {**kinds, BY_PRICE: bands(truth)}.items():
        names = np.array([name_of(listing) for listing in tested])
        masks = {str(name): names == name for name in sorted(set(names))}
        if kind == BY_PRICE:
            masks = dict(sorted(masks.items(), key=lambda item: float(truth[item[1]].min())))
        segments[kind] = {
            name: score(truth[mask], guessed[mask], held(truth[mask], guessed[mask], low, high))
            for name, mask in masks.items()
        }
    spread = Spread(low=round(low, 5), high=round(high, 5), coverage=COVERAGE, measured=round(share, 4))
    sizes = (len(learnt), len(calibrate), len(test))
    overall = score(truth, guessed, share)
    return Evaluation(spread=spread, overall=overall, segments=segments, folds=folds, sizes=sizes)


def cross_validate(
    make: Callable[[], Any], rows: np.ndarray, prices: np.ndarray, folds: int, seed: int
) -> tuple[Score, ...]:
    """Fit anew on all folds but one and score on that one, for each; the folds depend on the seed only."""
    scores = []
    if folds:
        for learnt, test in KFold(folds, shuffle=True, random_state=seed).split(rows):
            fitted = learn.fit(make(), rows[learnt], prices[learnt])
            scores.append(score(prices[test], learn.predict(fitted, rows[test])))
    return tuple(scores)


def mean_and_deviation(folds: Sequence[Score], name: str) -> tuple[float, float]:
    """A figure over the folds."""
    values = [float(getattr(fold, name)) for fold in folds]
    return float(np.mean(values)), float(np.std(values))
