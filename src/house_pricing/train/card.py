"""The model card: what the model is for, what it learnt from, how far it is off and for whom, in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from house_pricing.train import evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from house_pricing.contract import Contract
    from house_pricing.features import Feature
    from house_pricing.train.evaluate import Evaluation, Score
    from house_pricing.train.samples import Sample

FEW = 30  # test rows below which a segment's figures are marked


def write(contract: Contract, evaluation: Evaluation, sample: Sample, *, synthetic: bool, command: str) -> str:
    """The card's text; the same model always gives the same one.

    Args:
        contract: What the model file says of itself.
        evaluation: What was measured.
        sample: What the model is about.
        synthetic: Whether the data came from the sample's generator.
        command: How to train it again.
    """
    parts = [
        f"# Model card: {contract.model_version}",
        f"Prices {sample.title}, in {contract.currency}: gradient-boosted trees on the price's logarithm, as ONNX.",
        "## Data",
        _data(contract, evaluation, sample, synthetic=synthetic),
        "## Use",
        _use(sample, synthetic=synthetic),
        "## How good it is",
        _overall(contract, evaluation),
        *(f"By {kind}:\n\n{_table(kind, scores)}" for kind, scores in evaluation.segments.items()),
        "Rows marked * have few test rows: read their figures as a hint. By true price, the cheapest band looks "
        "overestimated and the dearest underestimated in any model: the band is chosen by what it is compared with.",
        "## Limits",
        _limits(contract, sample, synthetic=synthetic),
        "## Fields of a request",
        _fields(contract.features),
        "## Train it again",
        f"```console\n$ {command}\n```",
        f"Trained with {', '.join(f'{name} {version}' for name, version in contract.libraries.items())}"
        f"{f' at {contract.trained_at}' if contract.trained_at else ''}. The same data, seed, Python and libraries "
        "give the same bytes.",
    ]
    return "\n\n".join(parts) + "\n"


def _data(contract: Contract, evaluation: Evaluation, sample: Sample, *, synthetic: bool) -> str:
    learnt, calibrated, tested = evaluation.sizes
    origin = (
        f"**Synthetic.** No real sale is behind it: `{sample.module}` made every row up, by a formula with "
        f"{sample.noise:.0%} of noise that its first lines describe."
        if synthetic
        else "A file of the user's; every row was checked like a request."
    )
    return (
        f"{origin}\n\n{contract.data[:1].upper()}{contract.data[1:]}. {learnt:,} rows were learnt from, {calibrated:,} "
        f"gave the interval, {tested:,} gave the figures below; no row is in two of these parts."
    )


def _use(sample: Sample, *, synthetic: bool) -> str:
    if synthetic:
        return (
            "To try the service, to test what calls it, and as an example of a model file. Not to be used for any "
            "decision about a home, a loan, a tax or a person: it knows nothing of the market."
        )
    return (
        f"A first estimate of {sample.title}, like those it learnt from, for people who know the market. Not to be the "
        "only ground of a decision about a home, a loan, a tax or a person."
    )


def _overall(contract: Contract, evaluation: Evaluation) -> str:
    spread = contract.spread
    lines = [
        f"The {spread.coverage:.0%} interval reaches from {spread.low:.2f} to {spread.high:.2f} times the predicted "
        f"price. It held {spread.measured:.1%} of the test rows, which took no part in fitting or calibrating it.",
        _table("", {"all test rows": evaluation.overall}),
    ]
    if evaluation.folds:
        mape, mape_sd = evaluate.mean_and_deviation(evaluation.folds, "mape")
        r2, r2_sd = evaluate.mean_and_deviation(evaluation.folds, "r2")
        mae, mae_sd = evaluate.mean_and_deviation(evaluation.folds, "mae")
        lines.append(
            f"Cross-validation over all rows, {len(evaluation.folds)} folds, mean ± standard deviation: "
            f"MAE {mae:,.0f} ± {mae_sd:,.0f}, MAPE {mape:.1%} ± {mape_sd:.1%}, R² {r2:.3f} ± {r2_sd:.3f}."
        )
    return "\n\n".join(lines)


def _table(kind: str, scores: dict[str, Score]) -> str:
    lines = [f"| {kind} | test rows | MAE | MAPE | R² | held by the interval |", "|---|---:|---:|---:|---:|---:|"]
    for name, score in scores.items():
        few = " *" if score.rows < FEW else ""
        share = "" if score.held is None else f"{score.held:.1%}"
        # inside a band of true prices, R² would compare with the band's own mean, which nobody knows beforehand
        r2 = "" if kind == evaluate.BY_PRICE else f"{score.r2:.3f}"
        figures = f"{score.rows:,} | {score.mae:,.0f} | {score.mape:.1%} | {r2} | {share}"
        lines.append(f"| {name}{few} | {figures} |")
    return "\n".join(lines)


def _limits(contract: Contract, sample: Sample, *, synthetic: bool) -> str:
    open_names = [f"`{feature.name}`" for feature in contract.features if feature.open]
    limits = [
        "- Trees do not extrapolate: beyond the rows it learnt from, a price stays at that of the nearest ones.",
        "- One pair of ratios makes every interval: it holds its share over all homes, not for each kind (see above).",
        "- Inflation and the day of the sale are not looked at: a price is of the time of the data.",
    ]
    if open_names:
        limits.append(f"- {', '.join(open_names)}: values seen seldom or never count as one, the rare ones.")
    if synthetic:
        limits.append(f"- The generator's noise of {sample.noise:.0%} bounds what any model can reach here.")
    return "\n".join(limits)


def _fields(features: Sequence[Feature]) -> str:
    lines = ["| field | what it is | must be | if absent |", "|---|---|---|---|"]
    for feature in features:
        absent = "refused" if feature.required else "missing" if feature.default is None else f"{feature.default}"
        # a pipe, as in a pattern, would end the cell
        must = feature.expected().replace("|", "\\|")
        lines.append(f"| `{feature.name}` | {feature.description} | {must} | {absent} |")
    return "\n".join(lines)
