"""`python -m house_pricing.train`: rows in, a model file, its digest, golden rows and card out.

Exit codes: 0 fine, 2 arguments or data that cannot be used, 3 the registry, 4 an export that is not what was learnt.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from house_pricing.train import card, dataset, evaluate, export, register, training
from house_pricing.train.dataset import DataError, TrainingError
from house_pricing.train.samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from house_pricing.train.generator import Listing
    from house_pricing.train.training import Order, Trained

PROGRAM = "python -m house_pricing.train"
MODELS = Path("config/models")
ROWS = 20_000
MOST_BAD = 0.1


class _Parser(argparse.ArgumentParser):
    """Says a mistake in three lines instead of the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(DataError.exit_code, f"The arguments cannot be used.\n{message}\nSee `{PROGRAM} --help`.\n")


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"must be a whole number from {low} to {high}")
        return int(text)

    return read


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", text):
        raise argparse.ArgumentTypeError("must be up to 60 letters, digits, '.', '_' or '-'")
    return text


def _model_file(text: str) -> Path:
    if not text.endswith(".onnx"):
        raise argparse.ArgumentTypeError("must end in .onnx")
    return Path(text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=PROGRAM, description="Train a price model and write it as ONNX, with its card beside it.")
    data = parser.add_argument_group("what to learn from")
    data.add_argument("--sample", choices=SAMPLES, default="french", help="kind of home (default: %(default)s)")
    data.add_argument("--data", type=Path, metavar="FILE", help="CSV or Parquet; default: the sample's generator")
    data.add_argument("--skip-bad-rows", action="store_true", help="go on without bad rows, up to one in ten")
    data.add_argument("--rows", type=_whole(1, 10**7), metavar="N", help=f"rows to generate (default: {ROWS})")
    data.add_argument("--seed", type=_whole(0, 2**32 - 1), default=0, help="of all that is random (default: 0)")
    data.add_argument("--folds", type=_whole(0, 20), default=5, help="of the cross-validation; 0: none (default: 5)")
    out = parser.add_argument_group("what to write")
    out.add_argument("--output", type=_model_file, metavar="FILE.onnx", help=f"default: {MODELS}/<name>.onnx")
    out.add_argument("--name", type=_name, help="the model's name in the file (default: the sample's)")
    out.add_argument("--model-version", type=_name, default="1.0.0", help="its version there (default: %(default)s)")
    log = parser.add_argument_group("MLflow, at MLFLOW_TRACKING_URI")
    log.add_argument("--register", action="store_true", help="log everything, register a version, set the alias last")
    log.add_argument("--registered-name", type=_name, default=register.NAME, help="default: %(default)s")
    log.add_argument("--alias", type=_name, default=register.ALIAS, help="default: %(default)s")
    return parser


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    args = parser.parse_args(argv)
    if args.data is not None and args.rows is not None:
        parser.error("--rows is for the generator, --data for a file: give one of them")
    if args.folds == 1:
        parser.error("--folds 1 leaves nothing to learn from: give 0, or 2 and more")
    args.name = args.name or SAMPLES[args.sample].name
    args.output = args.output or MODELS / f"{args.name}.onnx"
    args.rows = args.rows or ROWS
    return args


def _listings(args: argparse.Namespace) -> tuple[list[Listing], str]:
    """The rows and where they come from; bad ones are reported, and end it all unless they may be left out."""
    sample = SAMPLES[args.sample]
    if args.data is None:
        return list(sample.generate(args.rows, args.seed)), f"synthetic: {sample.module}, {args.rows} {sample.rows_are}"
    listings, bad = dataset.read(args.data, sample.features)
    for row in bad:
        sys.stderr.write(f"{args.data}:{row.line}: {row.reason}\n")
    if bad:
        share = len(bad) / (len(bad) + len(listings))
        what = f"{len(bad)} of {len(bad) + len(listings)} rows of {args.data} cannot be used."
        if not args.skip_bad_rows:
            raise DataError(what, "Each is named above.", "Correct them, or leave them out with --skip-bad-rows.")
        if share > MOST_BAD:
            why = f"More than {MOST_BAD:.0%} are bad: what is left may not be what the file is about."
            raise DataError(what, why, "Correct the rows that are named above.")
    return listings, f"{args.data.name}, {len(listings)} {sample.rows_are}, {len(bad)} bad rows left out"


def _command(args: argparse.Namespace) -> str:
    """How to train this model again, whatever was left to the defaults."""
    words = ["--sample", args.sample]
    words += ["--rows", str(args.rows)] if args.data is None else ["--data", args.data.name]
    words += ["--skip-bad-rows"] if args.skip_bad_rows else []
    words += ["--seed", str(args.seed), "--folds", str(args.folds), "--name", args.name]
    return f"{PROGRAM} {shlex.join([*words, '--model-version', args.model_version])}"


def _report(trained: Trained) -> str:
    measured, spread = trained.evaluation, trained.contract.spread
    lines = [", ".join(f"{name} {value:g}" for name, value in trained.contract.metrics.items())]
    if measured.folds:
        mean, deviation = evaluate.mean_and_deviation(measured.folds, "mape")
        lines.append(f"cross-validation, {len(measured.folds)} folds: mape {mean:.5f} ± {deviation:.5f}")
    lines.append(
        f"{spread.coverage:.0%} interval: {spread.low:g} to {spread.high:g} times the price; "
        f"it held {spread.measured:.1%} of the tested homes"
    )
    return "\n".join(lines)


def _run(args: argparse.Namespace) -> None:
    registry = register.connect() if args.register else None  # before the work, not after it
    listings, data = _listings(args)
    sample = SAMPLES[args.sample]
    order = training.Order(
        sample=sample, name=args.name, version=args.model_version, data=data, seed=args.seed, folds=args.folds
    )
    trained = training.train(listings, order)
    text = card.write(trained.contract, trained.evaluation, sample, synthetic=args.data is None, command=_command(args))
    try:
        files = export.write(args.output, trained.content, trained.contract, text)
    except OSError as error:
        todo = "Give another file with --output."
        raise DataError(f"{args.output} cannot be written.", error.strerror or str(error), todo) from error
    for path in files:
        sys.stdout.write(f"{path}  {path.stat().st_size} bytes\n")
    sys.stdout.write(f"{_report(trained)}\n")
    if registry is not None:
        version = register.register(registry, trained, text, _parameters(args, order), args.registered_name, args.alias)
        sys.stdout.write(f"registered as {args.registered_name} version {version}, alias {args.alias}\n")


def _parameters(args: argparse.Namespace, order: Order) -> dict[str, str]:
    return {"sample": args.sample, "seed": str(order.seed), "folds": str(order.folds), "data": order.data}


def main(argv: Sequence[str] | None = None) -> int:
    """Train, check, write, and say what came out."""
    args = _arguments(argv)
    try:
        _run(args)
    except TrainingError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0
